"""The recipes of the interop tests, and each once more in torch, in float64."""

import torch
from safetensors.torch import load_file

from harness import BASE, DRAMA, MATHS, TALES

# Not round: bf16 values weighed by round numbers often fall exactly between two bf16 values, where the
# last bit of float32 decides.
WEIGHTS = (0.4837, 0.3121, 0.8773)


def linear(out_dtype):
    return f"""
merge_method: linear
models:
  - {{model: {TALES}, parameters: {{weight: {WEIGHTS[0]}}}}}
  - {{model: {DRAMA}, parameters: {{weight: {WEIGHTS[1]}}}}}
  - {{model: {MATHS}, parameters: {{weight: {WEIGHTS[2]}}}}}
dtype: float32
out_dtype: {out_dtype}
"""


def task_arithmetic(out_dtype):
    return f"""
merge_method: task_arithmetic
base_model: {BASE}
models:
  - {{model: {TALES}, parameters: {{weight: 0.6}}}}
  - {{model: {MATHS}, parameters: {{weight: [0.2, 0.9, -0.4]}}}}
parameters: {{lambda: 0.8}}
dtype: float32
out_dtype: {out_dtype}
"""


def ties(out_dtype):
    # All weights alike, since mergekit weighs the votes too; nothing trimmed, since it keeps any of those
    # that are of the size of the last one kept.
    return f"""
merge_method: ties
base_model: {BASE}
models:
  - {{model: {TALES}, parameters: {{weight: 1}}}}
  - {{model: {DRAMA}, parameters: {{weight: 1}}}}
  - {{model: {MATHS}, parameters: {{weight: 1}}}}
parameters: {{lambda: 0.8773}}
dtype: float32
out_dtype: {out_dtype}
"""


def slerp(out_dtype):
    return f"""
merge_method: slerp
base_model: {TALES}
models:
  - {{model: {TALES}}}
  - {{model: {DRAMA}}}
parameters:
  t:
    - {{filter: self_attn, value: [0, 0.5, 0.3, 0.7, 1]}}
    - {{filter: mlp, value: [1, 0.5, 0.7, 0.3, 0]}}
    - {{value: 0.45}}
dtype: float32
out_dtype: {out_dtype}
"""


def varm(out_dtype):
    return f"""
merge_method: varm
base_model: {BASE}
models: [{{model: {TALES}}}, {{model: {DRAMA}}}, {{model: {MATHS}}}]
dtype: float32
out_dtype: {out_dtype}
"""


def load(folder):
    """A checkpoint's tensors in float64, by name."""
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors.update({name: value.double() for name, value in load_file(file).items()})
    return tensors


def varm_in_torch():
    """FuseChat, Eq. 7, matrix by matrix: the merged tensors, and the shares."""
    base = load(BASE)
    models = [load(folder) for folder in (TALES, DRAMA, MATHS)]
    merged, shares = {}, {}
    for name, pivot in base.items():
        changes = torch.stack([((model[name] - pivot) ** 2).mean() for model in models])
        share = changes / changes.sum()
        merged[name] = sum(w * model[name] for w, model in zip(share, models))
        shares[name] = share.tolist()
    return merged, shares


def linear_in_torch():
    models = [load(folder) for folder in (TALES, DRAMA, MATHS)]
    total = sum(WEIGHTS)
    return {
        name: sum(w / total * model[name] for w, model in zip(WEIGHTS, models)) for name in models[0]
    }


def gradient(values, name, layers):
    """mergekit's reading of a list: laid over the stack, its first value outside of it."""
    depth = float(name.split(".layers.")[1].split(".")[0]) / (layers - 1) if ".layers." in name else 0
    place = depth * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return (1 - (place - low)) * values[low] + (place - low) * values[high]


def task_arithmetic_in_torch(layers=6):
    base, tales, maths = load(BASE), load(TALES), load(MATHS)
    return {
        name: pivot
        + 0.8
        * (
            0.6 * (tales[name] - pivot)
            + gradient([0.2, 0.9, -0.4], name, layers) * (maths[name] - pivot)
        )
        for name, pivot in base.items()
    }


def ties_in_torch():
    base = load(BASE)
    models = [load(folder) for folder in (TALES, DRAMA, MATHS)]
    merged = {}
    for name, pivot in base.items():
        changes = torch.stack([model[name] - pivot for model in models])
        elected = torch.where(changes.sum(0) >= 0, 1.0, -1.0)
        agree = changes * elected > 0
        mean = (changes * agree).sum(0) / agree.sum(0).clamp(min=1)
        merged[name] = pivot + 0.8773 * mean
    return merged


def slerp_in_torch(layers=6):
    one, other = load(TALES), load(DRAMA)
    merged = {}
    for name, a in one.items():
        b = other[name]
        if "self_attn" in name:
            t = gradient([0, 0.5, 0.3, 0.7, 1], name, layers)
        elif "mlp" in name:
            t = gradient([1, 0.5, 0.7, 0.3, 0], name, layers)
        else:
            t = 0.45
        cosine = ((a / a.norm()) * (b / b.norm())).sum()
        if abs(cosine) > 0.9995:
            merged[name] = (1 - t) * a + t * b
        else:
            angle = torch.acos(cosine)
            merged[name] = (
                torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b
            ) / torch.sin(angle)
    return merged


RECIPES = {
    "linear": linear,
    "task_arithmetic": task_arithmetic,
    "ties": ties,
    "slerp": slerp,
    "varm": varm,
}
IN_TORCH = {
    "linear": linear_in_torch,
    "task_arithmetic": task_arithmetic_in_torch,
    "ties": ties_in_torch,
    "slerp": slerp_in_torch,
    "varm": lambda: varm_in_torch()[0],
}
