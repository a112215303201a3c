"""Published mergekit recipes over tiny checkpoints: the real mergekit's tensors and ours.

The recipes, and the script that makes their checkpoints, are test data (FUSESTUDIO_TESTDATA). Families
of few layers are chosen, each path through the language and each method once.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import test_mergekit  # noqa: F401  first: it mends what mergekit imports
import torch
import yaml
from harness import require, skip, studio, test
from mergekit.config import MergeConfiguration
from mergekit.graph import Executor
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from mergekit.scripts.multimerge import load_config, make_tasks
from safetensors.torch import load_file

FAMILIES = ("L32", "P32", "T28")
DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}

# What float32 leaves of a value that nearly cancels, in ulp of the tensor's largest value: linear,
# SLERP and what lies in the span of the models are computed in float32 on both sides.
FLOAT32_ULPS = 8

SAME = (
    "m32_mahou_linear",
    "t06_linear_base",
    "m38_eggs_slerp",
    "n08_phi3_slerp",
    "m19_taide",
    "m47_qwen_ta",
    "n16_dare_linear_1",
    "n07_saxon",
    "t03_ties_global",
    "m30_novaciano_sce",
    "m10_neuralpipe9b",
    "m14_neuralpipe7b_slerp",
    "m04_parammyl",
    "z1_modelstock",
    "m35_legalbio_bc",
    "m36_eggs_bc_ties",
    "m37_ice_bc",
)
# Where the published ones leave a way through the language untrodden.
WRITTEN = {
    "slices with a base each": """merge_method: task_arithmetic
base_model: L32-b
slices:
  - sources:
      - {model: L32-b, layer_range: [0, 10]}
      - {model: L32-m1, layer_range: [5, 15], parameters: {weight: [0, 1, 0.25]}}
    parameters: {lambda: [{filter: mlp, value: [0, 2]}, {filter: self_attn, value: 0.5}]}
  - sources:
      - {model: L32-m1, layer_range: [10, 11]}
      - {model: L32-m2, layer_range: [31, 32], parameters: {weight: [{filter: layers.31., value: 0.3}, {value: 0.9}]}}
    base_model: L32-m1
  - sources:
      - {model: L32-m2, layer_range: [0, 12], parameters: {weight: [0.1, 0.7]}}
      - {model: L32-b, layer_range: [20, 32]}
parameters: {lambda: 0.9, weight: 1}
dtype: float32
out_dtype: bfloat16
""",
    "a module with gradients": """merge_method: slerp
base_model: L32-m1
modules:
  default:
    slices:
      - sources: [{model: L32-m1, layer_range: [3, 9]}, {model: L32-m2, layer_range: [2, 8]}]
        parameters: {t: [0, 0.3, 1]}
      - sources: [{model: L32-m2, layer_range: [3, 9]}, {model: L32-m1, layer_range: [2, 8]}]
    parameters: {t: [0.9, 0.2]}
dtype: float16
""",
    "documents over each other": """merge_method: passthrough
slices:
  - sources: [{model: mean, layer_range: [0, 8], parameters: {scale: [{filter: o_proj, value: 0.5}, {value: 1}]}}]
  - sources: [{model: tall, layer_range: [4, 20]}]
dtype: bfloat16
---
name: tall
merge_method: passthrough
slices:
  - sources: [{model: mean, layer_range: [0, 16]}]
  - sources: [{model: L32-m2, layer_range: [8, 32]}]
dtype: bfloat16
---
name: mean
merge_method: linear
models:
  - {model: L32-m1, parameters: {weight: 0.25}}
  - {model: L32-m3, parameters: {weight: [0.5, 1]}}
dtype: bfloat16
""",
}
# Methods that mergekit computes in the recipe's dtype and the studio in float32: both in float32 here.
IN_FLOAT32 = ("n14_karcher_default",)
# A cosine that is rounded the other way moves one tensor by more than a step, of 291.
NEARLY = ("m50_unphi_nuslerp", "e1_arcee_fusion")
DRAWN = ("m51_daredevil",)
REFUSED = {"t04_slerp_two_base": "exactly 1 model"}


def recipes_of_test_data():
    data = os.environ.get("FUSESTUDIO_TESTDATA")
    folder = Path(data or ".") / "recipes"
    if not data or not folder.is_dir():
        skip("NOT RUN: no test data (FUSESTUDIO_TESTDATA)")
    return folder


def models(work):
    """The folder that holds the checkpoints, and copies of the recipes; made once."""
    folder = work / "published"
    if not folder.exists():
        script = recipes_of_test_data() / "make_models.py"
        subprocess.run([sys.executable, script, folder, *FAMILIES], check=True, stdout=sys.stderr)
    return folder


def load(folder):
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors.update(load_file(file))
    return tensors


def merge_theirs(text, out, scratch):
    """What mergekit makes of a recipe; of several documents as mergekit-multi makes it."""
    options = MergeOptions(cuda=False, quiet=True, write_model_card=False, random_seed=0)
    if len(list(yaml.safe_load_all(text))) == 1:
        run_merge(MergeConfiguration.model_validate(yaml.safe_load(text)), str(out), options)
        return
    configs, needed = load_config(text, str(scratch))
    tasks = make_tasks(configs, needed, options, str(scratch), str(out), lazy=True)
    Executor(tasks, math_device="cpu", storage_device="cpu").execute()


def both(work, name):
    """The recipe, and what either side makes of it."""
    folder = models(work)
    text = WRITTEN.get(name) or (recipes_of_test_data() / f"{name}.yml").read_text()
    if name in IN_FLOAT32:
        text = text.replace("dtype: bfloat16", "dtype: float32\nout_dtype: bfloat16")
    place = name.replace(" ", "-")
    recipe = folder / f"{place}.yml"
    recipe.write_text(text)
    studio("merge", recipe, folder / f"ours-{place}")
    before = Path.cwd()
    os.chdir(folder)  # where its relative names of models lie
    try:
        merge_theirs(text, folder / f"theirs-{place}", folder / f"scratch-{place}")
    finally:
        os.chdir(before)
    ours, wanted = load(folder / f"ours-{place}"), load(folder / f"theirs-{place}")
    require(ours.keys() == wanted.keys(), f"tensors differ: {sorted(ours.keys() ^ wanted.keys())[:4]}")
    for tensor, value in wanted.items():
        # mergekit writes Arcee Fusion's tensors as float32, whatever the recipe says.
        fuses = yaml.safe_load(text.split("\n---")[0]).get("merge_method") == "arcee_fusion"
        written = DTYPES["bfloat16"] if fuses else value.dtype
        require(ours[tensor].dtype == written, f"{tensor} is {ours[tensor].dtype}")
    layers = [
        json.loads((folder / f"{side}-{place}" / "config.json").read_text())["num_hidden_layers"]
        for side in ("ours", "theirs")
    ]
    require(layers[0] == layers[1], f"config.json speaks of {layers} layers")
    return next(yaml.safe_load_all(text)), ours, wanted


def steps(ours, theirs, sizes=0.0):
    """How far two tensors are apart, in ulp of their dtype at the larger of each two values and `sizes`."""
    bits = {torch.bfloat16: 8, torch.float16: 11, torch.float32: 24}[theirs.dtype]
    a, b = ours.double(), theirs.double()
    largest = torch.maximum(torch.maximum(a.abs(), b.abs()), torch.as_tensor(sizes, dtype=a.dtype))
    exponent = torch.frexp(largest).exponent - bits
    if theirs.dtype == torch.float16:
        exponent = exponent.clamp(min=-24)
    ulp = torch.ldexp(torch.ones_like(a), exponent)
    left = FLOAT32_ULPS * 2**-23 * b.abs().max()
    return ((a - b).abs() - left).clamp(min=0) / ulp


def at_the_cut(scores, kept):
    """Elements whose score equals the last one kept where the next has it too: either may be kept."""
    ordered = scores.flatten().float().sort(descending=True).values
    if not 0 < kept < len(ordered) or ordered[kept - 1] != ordered[kept]:
        return torch.zeros_like(scores, dtype=torch.bool)
    return scores.float() == ordered[kept - 1]


def undecided(recipe, folder):
    """For each tensor the elements that mergekit's unstable sorting may keep or drop; then at which size,
    and by how many steps of it, others may be apart for it. SCE's coefficients come from what was kept:
    where that is not certain one may be rounded the other way, and after it product, sum and quotient."""
    method = recipe["merge_method"]
    if method not in ("ties", "sce", "breadcrumbs", "breadcrumbs_ties"):
        return lambda tensor: (False, 0.0, 1)
    dtype = DTYPES[recipe["dtype"]]
    shared = recipe.get("parameters", {})
    named = [entry for entry in recipe["models"] if entry["model"] != recipe["base_model"]]
    base = load(folder / recipe["base_model"])
    others = [load(folder / entry["model"]) for entry in named]

    def values(name, default):
        return [entry.get("parameters", {}).get(name, shared.get(name, default)) for entry in named]

    densities, gammas = values("density", 1), values("gamma", 0.01)

    def mask(tensor):
        changes = [other[tensor].to(dtype) - base[tensor].to(dtype) for other in others]
        if method == "sce":
            variance = torch.var(torch.stack(changes), dim=0, unbiased=False)
            kept = int(torch.count_nonzero(variance) * shared["select_topk"])
            tied = at_the_cut(variance, kept)
            largest = torch.stack(changes).abs().amax(0).double()
            return (tied, largest, 4) if tied.any() else (tied, 0.0, 1)
        cuts = []
        for change, density, gamma in zip(changes, densities, gammas):
            kept = max(1, int(density * change.numel()))
            if density < 1 and method == "ties":
                cuts.append(at_the_cut(change.abs(), kept))
            elif density < 1:
                down = min(change.numel(), kept + int(gamma * change.numel()))
                cuts += [at_the_cut(change.abs(), cut) for cut in (down, down - kept)]
        return (torch.stack(cuts).any(0) if cuts else False), 0.0, 1

    return mask


def check_same(name):
    def check(work):
        recipe, ours, theirs = both(work, name)
        tied = undecided(recipe, models(work))
        worst, differing, skipped, count = 0.0, 0, 0, 0
        for tensor, value in theirs.items():
            free, sizes, most = tied(tensor)
            apart = steps(ours[tensor], value, sizes)
            free = free & (apart > 0)
            skipped += int(torch.as_tensor(free).sum())
            apart = torch.where(torch.as_tensor(free), torch.zeros_like(apart), apart)
            require(apart.max() <= most, f"{tensor}: {apart.max():.1f} steps of the output's dtype")
            worst = max(worst, apart.max().item())
            differing += int((apart > 0).sum())
            count += apart.numel()
        more = f", {skipped} of equal magnitude at a cut" if skipped else ""
        return f"{differing} of {count} values differ, by {worst:.1f} steps at most{more}"

    return check


def check_nearly(name):
    def check(work):
        _, ours, theirs = both(work, name)
        apart = torch.cat([steps(ours[t], v.to(ours[t].dtype)).flatten() for t, v in theirs.items()])
        over = (apart > 1).double().mean().item()
        require(over <= 1e-3, f"{over:.5f} of the elements are over one step apart")
        return f"{over:.5f} of the elements are over one step apart, by {apart.max():.1f} at most"

    return check


def check_drawn(name):
    def check(work):
        recipe, ours, theirs = both(work, name)
        base = load(models(work) / recipe["base_model"])
        changes = [
            torch.cat([(side[t].double() - base[t].double()).flatten() for t in theirs])
            for side in (ours, theirs)
        ]
        count = changes[0].numel()
        unmoved = [(change == 0).double().mean().item() for change in changes]
        sizes = [change.abs().mean().item() for change in changes]
        # Five standard errors of the difference of two shares, and of two means whose values scatter
        # by less than one and a half times their size.
        share = 5 * (2 * unmoved[1] * (1 - unmoved[1]) / count) ** 0.5
        size = 5 * 1.5 * (2 / count) ** 0.5
        require(abs(unmoved[0] - unmoved[1]) <= share, f"{unmoved} of the elements did not move")
        require(abs(sizes[0] / sizes[1] - 1) <= size, f"mean changes are {sizes}")
        return f"{unmoved[0]:.4f} and {unmoved[1]:.4f} unmoved, mean changes {sizes[0] / sizes[1]:.4f} apart"

    return check


def check_refused(name, words):
    def check(work):
        try:
            both(work, name)
        except RuntimeError as error:
            require(words in str(error), f"said {error}")
            return None
        raise AssertionError("was merged")

    return check


for name in SAME + IN_FLOAT32:
    test(f"the published recipe {name} gives mergekit's tensors")(check_same(name))
for name in WRITTEN:
    test(f"a recipe of {name} gives mergekit's tensors")(check_same(name))
for name in NEARLY:
    test(f"the published recipe {name} gives mergekit's tensors but for a thousandth")(check_nearly(name))
for name in DRAWN:
    test(f"the published recipe {name} draws as mergekit does, by statistics")(check_drawn(name))
for name, words in REFUSED.items():
    test(f"the published recipe {name} is refused, as by mergekit")(check_refused(name, words))
