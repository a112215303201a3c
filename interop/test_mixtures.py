"""Mixtures of experts: the real mergekit-moe on the same folders, and the written model in transformers."""

import json
import shutil

import torch
import transformers
import yaml
from safetensors.torch import load_file

import test_mergekit  # noqa: F401  mends what mergekit expects of transformers
from mergekit.moe import router
from mergekit.moe.config import MoEMergeConfig, is_bad_config
from mergekit.options import MergeOptions
from mergekit.scripts.moe import build

from harness import BASE, DRAMA, MATHS, TALES, require, studio, test

# Hidden states through some layers of float32 on two machines of arithmetic; the rows have length 1.
GATE_BOUND = 2e-6
# Logits of size 1 to 10 through six layers of float32, summed in another order.
LOGITS_BOUND = 1e-4


def dense(work, model_type, seed):
    """A small random model with the tokenizer of the samples."""
    folder = work / f"dense-{model_type}-{seed}"
    if folder.exists():
        return folder
    torch.manual_seed(seed)
    more = {"head_dim": 20} if model_type == "qwen3" else {}
    config = transformers.AutoConfig.for_model(
        model_type, vocab_size=1024, hidden_size=64, num_hidden_layers=3, intermediate_size=96,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256,
        bos_token_id=1, eos_token_id=2, tie_word_embeddings=model_type == "qwen2", **more,
    )  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    model.to(torch.bfloat16).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(BASE / name, folder)
    return folder


PROMPTS = (
    (["Once upon a time", "The little girl ran to her mother"], ["Add the numbers"]),
    (["ROMEO: my love", "Enter the king with his men"], []),
    (["Add the numbers and say what they are"], ["Once upon a time"]),
    (["The"], []),
)


def experts(folders, **more):
    return [
        {"source_model": str(folder), "positive_prompts": wanted, "negative_prompts": unwanted, **more}
        for folder, (wanted, unwanted) in zip(folders, PROMPTS)
    ]


def mixtral(work, **more):
    listed = experts((TALES, DRAMA, MATHS, BASE))
    listed[3]["residual_scale"] = 0.3
    return {"base_model": str(BASE), "experts": listed, **more}


def qwen2(work, **more):
    folders = [dense(work, "qwen2", seed) for seed in range(5)]
    shared = {"source_model": str(folders[0]), "positive_prompts": ["word"], "residual_scale": 0.5}
    listed = experts(folders[1:])
    return {"base_model": str(folders[0]), "experts": listed, "shared_experts": [shared], **more}


def qwen3(work, **more):
    folders = [dense(work, "qwen3", seed) for seed in range(5)]
    return {"base_model": str(folders[0]), "experts": experts(folders[1:]), "experts_per_token": 3, **more}


def mistral(work, **more):
    folders = [dense(work, "mistral", seed) for seed in range(3)]
    return {"base_model": str(folders[0]), "experts": experts(folders[1:]), **more}


def llama_as_qwen(work, **more):
    # The base, since mergekit finds no shared expert that is neither base nor expert.
    shared = {"source_model": str(BASE), "positive_prompts": ["word"]}
    return {"base_model": str(BASE), "experts": experts((DRAMA, MATHS)), "shared_experts": [shared], **more}


MIXTURES = {"mixtral": mixtral, "qwen2": qwen2, "qwen3": qwen3, "mistral": mistral, "llama as qwen": llama_as_qwen}


def mix(work, name, config):
    path, out = work / f"{name}.yml", work / f"mixture-{name}"
    if not out.exists():
        path.write_text(yaml.safe_dump(config))
        studio("moe", path, out)
    return out


def mix_with_mergekit(work, name, config):
    out = work / f"mergekit-mixture-{name}"
    if out.exists():
        return out
    load = transformers.AutoModelForCausalLM.from_pretrained

    class InFloat32:
        """mergekit reads the prompts in bfloat16; here in float32, to hold ours against it closely."""

        @staticmethod
        def from_pretrained(*words, **options):
            return load(*words, **{**options, "torch_dtype": torch.float32})

    router.AutoModelForCausalLM, before = InFloat32, router.AutoModelForCausalLM
    try:
        build(MoEMergeConfig.model_validate(config), str(out), MergeOptions(quiet=True), device="cpu")
    finally:
        router.AutoModelForCausalLM = before
    return out


def tensors(folder):
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        found.update(load_file(file))
    return found


def is_gate(name):
    return name.endswith((".gate.weight", "_gate.weight"))


def both(work, kind, mode, dtype):
    name = f"{kind.replace(' ', '-')}-{mode}-{dtype}"
    config = MIXTURES[kind](work, gate_mode=mode, dtype=dtype)
    return mix(work, name, config), mix_with_mergekit(work, name, config)


def check_tensors(kind, mode, dtype):
    def check(work):
        ours, theirs = map(tensors, both(work, kind, mode, dtype))
        require(ours.keys() == theirs.keys(), f"tensors differ: {sorted(ours.keys() ^ theirs.keys())[:4]}")
        worst = 0.0
        for name, value in theirs.items():
            own = ours[name]
            require(own.dtype == value.dtype and own.shape == value.shape, f"{name} is {own.dtype} {own.shape}")
            if is_gate(name):
                worst = max(worst, (own.float() - value.float()).abs().max().item())
            else:
                require(torch.equal(own, value), f"{name} differs")
        # Half a step of bfloat16 at 1, where that is what is written.
        bound = GATE_BOUND if dtype == "float32" else 2**-8
        require(worst <= bound, f"routers differ by {worst:.1e}")
        return f"{len(theirs)} tensors, routers within {worst:.1e}"

    return check


def check_config(kind, mode):
    def check(work):
        ours, theirs = both(work, kind, mode, "float32")
        fields = [transformers.AutoConfig.from_pretrained(folder).to_dict() for folder in (ours, theirs)]
        for each in fields:
            for name in ("_name_or_path", "transformers_version"):
                each.pop(name, None)
        differing = [key for key in fields[0] | fields[1] if fields[0].get(key) != fields[1].get(key)]
        require(not differing, f"differ: {differing}")
        return f"{len(fields[0])} fields"

    return check


class Mixture(torch.nn.Module):
    """A layer of experts by definition: the softmax of the router's best, at sum 1, times each expert's output."""

    def __init__(self, experts, gate, count, shared, shared_gate):
        super().__init__()
        self.experts, self.gate, self.count = experts, gate, count
        self.shared, self.shared_gate = shared, shared_gate

    def forward(self, x):
        share = torch.softmax(x @ self.gate.T, -1)
        best = torch.zeros_like(share).scatter(-1, share.topk(self.count, -1).indices, 1.0) * share
        best = best / best.sum(-1, keepdim=True)
        out = sum(best[..., i, None] * expert(x) for i, expert in enumerate(self.experts))
        return out if self.shared is None else out + torch.sigmoid(x @ self.shared_gate.T) * self.shared(x)


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def check_logits(kind, mode):
    def check(work):
        config = MIXTURES[kind](work, gate_mode=mode, dtype="float32")
        folder = mix(work, f"{kind.replace(' ', '-')}-{mode}-float32", config)
        written, report = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
        missing = {**report, "missing_keys": [key for key in report["missing_keys"] if key != "lm_head.weight"]}
        require(not any(missing.values()), f"loading: {missing}")
        base = load(config["base_model"])
        listed = config["experts"] + config.get("shared_experts", [])
        models = [load(each["source_model"]) for each in listed]
        gates = tensors(folder)
        # Scaled matrices are rounded to the sources' bfloat16, as mergekit rounds them.
        for model, each in zip(models, listed):
            for layer in model.model.layers:
                scaled = layer.mlp.down_proj.weight.bfloat16() * each.get("residual_scale", 1.0)
                layer.mlp.down_proj.weight.copy_(scaled.float())
        count = len(config["experts"])
        models, shared = models[:count], models[count:]
        for i, layer in enumerate(base.model.layers):
            prefix = f"model.layers.{i}.mlp"
            layer.mlp = Mixture(
                [model.model.layers[i].mlp for model in models],
                gates[f"{prefix}.gate.weight"],
                config.get("experts_per_token", 2),
                shared[0].model.layers[i].mlp if shared else None,
                gates.get(f"{prefix}.shared_expert_gate.weight"),
            )
        ids = torch.randint(3, 1024, (2, 40), generator=torch.Generator().manual_seed(5))
        apart = (written.eval()(ids).logits - base(ids).logits).abs().max().item()
        size = base(ids).logits.abs().max().item()
        require(apart <= LOGITS_BOUND, f"logits of size {size:.1f} differ by {apart:.1e}")
        return f"logits of size {size:.1f} within {apart:.1e}"

    return torch.no_grad()(check)


for kind in MIXTURES:
    for mode in ("hidden", "cheap_embed"):
        test(f"mergekit-moe and we make the same {kind} mixture, {mode} gates, in float32")(check_tensors(kind, mode, "float32"))  # fmt: skip
    test(f"mergekit-moe and we make the same {kind} mixture in bfloat16")(check_tensors(kind, "hidden", "bfloat16"))
    test(f"mergekit-moe and we write the same config of a {kind} mixture")(check_config(kind, "hidden"))
    test(f"transformers computes a {kind} mixture's logits as torch does from its parts")(check_logits(kind, "hidden"))


REFUSED = {
    "experts without prompts": lambda work: {**mixtral(work), "experts": [{"source_model": str(TALES)}, {"source_model": str(DRAMA)}]},
    "the same prompts for all": lambda work: {**mixtral(work), "experts": [{"source_model": str(each), "positive_prompts": ["a"]} for each in (TALES, DRAMA)]},
    "one model as every expert": lambda work: {**mixtral(work), "experts": experts((TALES, TALES))},
    "fewer experts than a token goes to": lambda work: {**mixtral(work), "experts_per_token": 5},
}  # fmt: skip


def check_refused(name):
    def check(work):
        config = REFUSED[name](work)
        require(is_bad_config(MoEMergeConfig.model_validate(config)), "mergekit takes it")
        path = work / "refused.yml"
        path.write_text(json.dumps(config))
        try:
            studio("moe", path, work / "refused")
        except RuntimeError as error:
            require("bad-recipe" in str(error), f"said {error}")
            return None
        raise AssertionError("was made")

    return check


for name in REFUSED:
    test(f"mergekit-moe and we refuse {name}")(check_refused(name))
