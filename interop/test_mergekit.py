"""The real mergekit with the same recipes on the same folders."""

import torch
import transformers.configuration_utils
import yaml

# transformers 5 imports torch there for type checkers only, but mergekit's pydantic evaluates the names.
transformers.configuration_utils.torch = torch

from mergekit.config import MergeConfiguration  # noqa: E402
from mergekit.merge import run_merge  # noqa: E402
from mergekit.options import MergeOptions  # noqa: E402

from harness import merge, require, test  # noqa: E402
from recipes import RECIPES, load  # noqa: E402


# How far two float32 results may be apart, in ulp of the tensor's largest value: each side rounds once a
# product and once a sum.
FLOAT32_ULPS = 8
# SLERP's angle mergekit takes from torch's float32 norms, which over a million elements are off by some
# 1e-5 of themselves: up to 15 ulp here. Ours is within one of float64, which the tests against torch hold.
SLERP_ULPS = 24


def merge_with_mergekit(work, name, recipe):
    folder = work / f"mergekit-{name}"
    if not folder.exists():
        config = MergeConfiguration.model_validate(yaml.safe_load(recipe))
        options = MergeOptions(cuda=False, quiet=True, write_model_card=False, random_seed=0)
        run_merge(config, str(folder), options)
    return folder


def both(work, method, out_dtype):
    name, recipe = f"{method}-{out_dtype}", RECIPES[method](out_dtype)
    ours = load(merge(work, name, recipe))
    theirs = load(merge_with_mergekit(work, name, recipe))
    require(ours.keys() == theirs.keys(), f"tensors differ: {sorted(ours.keys() ^ theirs.keys())[:4]}")
    return ours, theirs


def check_float32(method):
    def check(work):
        ours, theirs = both(work, method, "float32")
        worst = max(
            ((ours[name] - theirs[name]).abs().max() / theirs[name].abs().max()).item()
            for name in theirs
        )
        ulp = worst / 2**-23
        bound = SLERP_ULPS if method == "slerp" else FLOAT32_ULPS
        require(ulp <= bound, f"{ulp:.1f} ulp of the largest value")
        return f"within {ulp:.2f} ulp of each tensor's largest value"

    return check


def check_bfloat16(method):
    def check(work):
        ours, theirs = both(work, method, "bfloat16")
        differing, count = 0, 0
        for name, value in theirs.items():
            error = (ours[name] - value).abs()
            # One bf16 ulp, and what float32 leaves of a value that nearly cancels.
            exponent = torch.frexp(torch.maximum(value.abs(), ours[name].abs())).exponent
            ulp = torch.ldexp(torch.ones_like(error), exponent - 8)
            left = FLOAT32_ULPS * 2**-23 * value.abs().max()
            require((error <= ulp + left).all(), f"{name} is over 1 bf16 ulp off")
            differing += (error > 0).sum().item()
            count += value.numel()
        # Two float32 results 1e-7 apart straddle a rounding boundary, 4e-3 apart, about once in 40,000.
        require(differing <= count / 5_000, f"{differing} of {count} values differ")
        return f"{differing} of {count} values differ, by 1 bf16 ulp"

    return check


for method in ("linear", "task_arithmetic", "ties", "slerp"):
    test(f"mergekit and we merge {method} to the same float32 tensors")(check_float32(method))
    test(f"mergekit and we merge {method} to the same bfloat16 tensors")(check_bfloat16(method))
