"""Adapters of one tiny Llama and what they merge to: the goldens of goldens/adapter-merges, and with
another seed and size the inputs of test_adapters.py.

    python interop/adapterMergeFixtures.py

Needs requirements.txt. cases.json lists merges; merged.safetensors has of each the change of every
module, s·B·A, in float64, under `case.module`. Those by PEFT's names come from
LoraModel.add_weighted_adapter of peft 0.21.2, whose changes are float32; `exact` ones, and those in Core
Space (arXiv:2509.17786) and KnOTS (arXiv:2410.19735), from the papers' formulas on whole matrices with
torch.linalg.svd in float64 and peft's own ties and magnitude_prune.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils.merge_utils import magnitude_prune, task_arithmetic, ties
from safetensors.torch import save_file

GOLDENS = Path(__file__).resolve().parent.parent / "goldens" / "adapter-merges"
transformers.logging.set_verbosity_error()

ADAPTERS = {
    "a": {},
    "b": {},
    "c": dict(lora_alpha=8),
    "wide": dict(r=6, target_modules=["q_proj", "v_proj"], use_rslora=True),
    "narrow": dict(r=2, rank_pattern={"q_proj": 3}, target_modules=["q_proj", "down_proj"]),
}
TWO, THREE, MIXED = ["a", "b"], ["a", "b", "c"], ["a", "wide", "narrow"]
PEFT = [
    ("linear", TWO, [0.7, 0.4], {}),
    ("linear", THREE, [0.7, -0.4, 1.2], {}),
    ("cat", MIXED, [0.7, -0.4, 1.2], {}),
    ("svd", THREE, [0.7, 0.4, -0.3], {}),
    ("ties", THREE, [1.0, 1.0, 1.0], dict(density=0.5)),
    ("ties", THREE, [0.7, -0.4, 1.2], dict(density=0.4, majority_sign_method="frequency")),
    ("magnitude_prune", THREE, [0.7, -0.4, 1.2], dict(density=0.3)),
    ("dare_ties", THREE, [0.7, 0.4, 1.2], dict(density=1.0)),
]
PAPERS = [
    (f"{rule}_{space}", names, weights, dict(density=density))
    for space in ("core", "knots")
    for rule, density in (("linear", 1.0), ("ties", 0.5), ("magnitude_prune", 0.3))
    for names, weights in ((THREE, [0.7, -0.4, 1.2]), (MIXED, [1.0, 0.8, 0.5]))
]


def base(hidden, inner):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=16, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=2,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config)


def parts(model, name):
    """A, B and scale of each module that an adapter has."""
    return {
        key.removeprefix("base_model.model."): (
            module.lora_A[name].weight.detach().double(),
            module.lora_B[name].weight.detach().double(),
            module.scaling[name],
        )
        for key, module in model.named_modules()
        if name in getattr(module, "lora_A", {})
    }


def changes(model, name):
    return {module: scale * b @ a for module, (a, b, scale) in parts(model, name).items()}


def apply_rule(method, tensors, weights, density):
    weights = torch.tensor(weights, dtype=torch.float64)
    if method.startswith("linear"):
        return task_arithmetic(tensors, weights)
    if method.startswith("ties"):
        return ties(tensors, weights, density)
    return magnitude_prune(tensors, weights, density)


def in_core_space(held, rule):
    left = torch.linalg.svd(torch.cat([b for _, b, _ in held], 1), full_matrices=False)[0]
    right = torch.linalg.svd(torch.cat([a for a, _, _ in held], 0), full_matrices=False)[2]
    return left @ rule([scale * left.T @ b @ a @ right.T for a, b, scale in held]) @ right


def in_knots(held, rule):
    side_by_side = torch.cat([scale * b @ a for a, b, scale in held], 1)
    left, values, right = torch.linalg.svd(side_by_side, full_matrices=False)
    kept = values > 2**-36 * values[0]
    pieces = (values[kept, None] * right[kept]).chunk(len(held), 1)
    return left[:, kept] @ rule(list(pieces))


def make_all(out, hidden=8, inner=12, rank=4, seed=0):
    model = None
    for number, (name, options) in enumerate(ADAPTERS.items()):
        plain = base(hidden, inner)
        torch.manual_seed(seed + number)
        settings = dict(r=rank, lora_alpha=6, init_lora_weights=False, target_modules=["q_proj", "down_proj"])
        config = LoraConfig(**{**settings, **options}, task_type="CAUSAL_LM")
        get_peft_model(plain, config).save_pretrained(out / name)
        (out / name / "README.md").unlink(missing_ok=True)
        if model is None:
            model = PeftModel.from_pretrained(base(hidden, inner), out / name, adapter_name=name)
        else:
            model.load_adapter(out / name, adapter_name=name)
    cases, merged = [], {}
    for method, names, weights, options in PEFT + PAPERS:
        number = len(cases)
        if "_core" in method or "_knots" in method:
            found = {}
            space = in_core_space if method.endswith("core") else in_knots
            own = [parts(model, name) for name in names]
            for module in dict.fromkeys(module for each in own for module in each):
                held = [(each[module], w) for each, w in zip(own, weights) if module in each]
                rule = lambda tensors: apply_rule(method, tensors, [w for _, w in held], options["density"])  # noqa: B023, E731
                found[module] = space([factors for factors, _ in held], rule)
        else:
            model.add_weighted_adapter(names, weights, f"case{number}", combination_type=method, **options)
            found = changes(model, f"case{number}")
        vote = options.get("majority_sign_method", "total")
        cases.append(dict(method=method, adapters=names, weights=weights, density=options.get("density", 1), vote=vote))
        merged.update({f"{number}.{module}": change.contiguous() for module, change in found.items()})
    (out / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    save_file(merged, out / "merged.safetensors")


if __name__ == "__main__":
    shutil.rmtree(GOLDENS, ignore_errors=True)
    GOLDENS.mkdir(parents=True)
    make_all(GOLDENS)
    print(f"goldens in {GOLDENS}", file=sys.stderr)
