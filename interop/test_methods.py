"""mergekit's methods on tensors of many shapes: mergekit's own functions, and the studio's merges."""

import json

import test_mergekit  # noqa: F401  first: it mends what mergekit imports
import torch
import yaml
from harness import require, studio, test
from mergekit.merge_methods.api import merge_tensors
from safetensors.torch import load_file, save_file
from test_recipes import DTYPES, steps

SHAPES = {
    "model.embed_tokens.weight": (37, 64),
    "model.layers.0.self_attn.q_proj.weight": (97, 64),
    "model.layers.0.input_layernorm.weight": (64,),
    "model.layers.0.mlp.up_proj.weight": (5, 3),
    "model.layers.1.mlp.up_proj.weight": (130, 515),
    "conv.weight": (8, 6, 3, 3),
    "model.norm.weight": (64,),
}
WEIGHTS = [0.53, 0.31, -0.42]

# Method, number of models, whether there is a base, shared parameters, each model's parameters.
ELEMENTWISE = [
    ("linear", 3, False, {}, {"weight": [0.3, 0.6, 0.4]}),
    ("task_arithmetic", 3, True, {"lambda": 0.8, "normalize": True}, {"weight": WEIGHTS}),
    ("ties", 3, True, {}, {"weight": WEIGHTS}),
    ("passthrough", 1, False, {}, {"scale": [0.37]}),
    ("nearswap", 1, True, {"t": 0.003}, {}),
    ("ram", 3, True, {"epsilon": 0.005}, {}),
    ("ramplus_tl", 3, True, {"epsilon": 0.005, "r": 0.5, "alpha": 1.0}, {}),
    ("slerp", 1, True, {"t": 0.3}, {}),
]
# In 16 bits magnitudes tie at a cut, where mergekit's sorting keeps any.
SELECTING = [
    ("ties", 3, True, {"rescale": True}, {"weight": WEIGHTS, "density": [0.5, 0.9, 0.3]}),
    ("sce", 3, True, {"select_topk": 0.4}, {}),
    ("breadcrumbs", 3, True, {}, {"weight": WEIGHTS, "density": [0.5, 0.9, 0.3], "gamma": [0.01, 0.2, 0]}),
    ("breadcrumbs_ties", 3, True, {"normalize": True}, {"weight": WEIGHTS, "density": [0.5, 0.9, 0.3]}),
]
STOCK = [
    ("model_stock", 3, True, {}, {}),
    ("model_stock", 2, True, {"filter_wise": True}, {}),
]
# Their coefficients come from sums of rounded terms: one that is rounded the other way moves elements by
# more than a step in 16 bits. Multi-SLERP and Karcher compute in float32 there.
SPAN = [
    ("nuslerp", 2, True, {}, {"weight": [0.3, 0.6]}),
    ("nuslerp", 2, False, {"nuslerp_flatten": False}, {"weight": [0.3, 0.6]}),
    ("nuslerp", 2, True, {"nuslerp_flatten": False, "nuslerp_row_wise": True}, {"weight": [0.3, 0.6]}),
    ("multislerp", 3, True, {}, {"weight": [0.3, 0.6, 0.4]}),
    ("karcher", 3, False, {}, {}),
]
FUSION = ("arcee_fusion", 1, True, {}, {})


def make(folder, dtype, names):
    random = torch.Generator().manual_seed(5)
    base = {
        name: torch.randn(shape, generator=random) * 0.05 + float(len(shape) == 1)
        for name, shape in SHAPES.items()
    }
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        tensors = {
            key: (value + (name != "base") * 0.01 * torch.randn(value.shape, generator=random)).to(dtype)
            for key, value in base.items()
        }
        save_file(tensors, folder / name / "model.safetensors", metadata={"format": "pt"})
        config = {"architectures": ["Any"], "model_type": "any", "num_hidden_layers": 2, "vocab_size": 37}
        (folder / name / "config.json").write_text(json.dumps(config))


def compare(work, case, dtype):
    """The largest distance in steps of the dtype, and the share of elements over one step."""
    method, count, has_base, shared, own = case
    folder = work / f"methods-{dtype}"
    names = [f"m{i}" for i in range(count)]
    if not folder.exists():
        make(folder, DTYPES[dtype], ["base", "m0", "m1", "m2"])
    models = [
        {"model": str(folder / name), "parameters": {key: values[i] for key, values in own.items()}}
        for i, name in enumerate(names)
    ]
    recipe = {"merge_method": method, "models": models, "parameters": shared}
    if has_base:
        recipe["base_model"] = str(folder / "base")
    tag = f"{method}-{'-'.join(map(str, [*shared, count, has_base]))}"
    path = folder / f"{tag}.yml"
    path.write_text(yaml.safe_dump(recipe))
    studio("merge", path, folder / tag)
    ours = load_file(folder / tag / "model.safetensors")
    inputs = [load_file(folder / name / "model.safetensors") for name in [*(["base"] * has_base), *names]]
    parameters = shared | {
        key: {i + has_base: value for i, value in enumerate(values)} for key, values in own.items()
    }
    apart = []
    for name in SHAPES:
        theirs = merge_tensors(
            [tensors[name] for tensors in inputs],
            method,
            parameters=parameters,
            base_index=0 if has_base else None,
        )
        apart.append(steps(ours[name], theirs.to(ours[name].dtype)).flatten())
    apart = torch.cat(apart)
    return apart.max().item(), (apart > 1).double().mean().item()


def check(case, dtype, share=0.0):
    def run(work):
        worst, over = compare(work, case, dtype)
        require(over <= share, f"{over:.5f} of the elements are over one step off, by {worst:.1f}")
        return f"{worst:.1f} steps at most, {over:.5f} over one"

    return run


def register(case, dtype, share=0.0):
    said = f"{case[0]} {json.dumps(case[3])} of {case[1]}{' and a base' if case[2] else ''}"
    test(f"mergekit's {said} comes to the same {dtype} tensors")(check(case, dtype, share))


for each in ELEMENTWISE + SELECTING + STOCK + SPAN:
    # Two changes that nearly cancel, as in some rows of three elements, determine Model Stock's ratio
    # badly: it is a quotient by 1 + cosine.
    register(each, "float32", share=2e-4 if each[3].get("filter_wise") else 0.0)
for narrow in ("bfloat16", "float16"):
    for each in ELEMENTWISE + STOCK:
        register(each, narrow)
# Masks follow sums of rounded terms, too.
for dtype in DTYPES:
    register(FUSION, dtype, share=1e-3)
