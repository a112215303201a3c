"""PEFT adapters: models with them, and merges of them, beside the real peft and mergekit."""

import json
import os
import subprocess
import warnings
from pathlib import Path

import adapterFixtures
import adapterMergeFixtures
import test_mergekit  # noqa: F401  first: it mends what mergekit imports
import torch
import yaml
from harness import ROOT, require, studio, test
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from peft import PeftModel
from test_recipes import load, models, recipes_of_test_data, steps
from transformers import AutoModelForCausalLM

# Other numbers, sizes and dtypes than those of the goldens in the repository.
SETS = {
    "of odd sizes in bf16": dict(hidden=24, vocab=37, inner=52, rank=5, dtype=torch.bfloat16, seed=41),
    "in float32": dict(hidden=32, vocab=40, inner=44, rank=3, dtype=torch.float32, seed=42),
    "stored as bf16": dict(hidden=16, vocab=40, inner=44, rank=6, adapter_dtype=torch.bfloat16, seed=43),
}


def run_unit_tests(file, variable, folder):
    vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "unit", file, "--reporter=json"]
    done = subprocess.run(
        [os.environ.get("NODE", "node"), *vitest], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, variable: str(folder)},
    )  # fmt: skip
    report = json.loads(done.stdout[done.stdout.index('{"num') :])
    cases = [case for each in report["testResults"] for case in each["assertionResults"]]
    failed = [case["title"] for case in cases if case["status"] == "failed"]
    require(not failed and cases, f"differ: {', '.join(failed[:4])}")
    return sum(case["status"] == "passed" for case in cases)


def check_set(name):
    def check(work):
        folder = work / f"adapters-{len(name)}"
        adapterFixtures.make_all(folder, **SETS[name])
        count = run_unit_tests("src/node/adapters.test.ts", "FUSESTUDIO_ADAPTERS", folder)
        return f"{count} checks of {len(adapterFixtures.CASES)} kinds of adapters"

    return check


for name in SETS:
    test(f"models with adapters {name} have the tensors of peft's merge_and_unload")(check_set(name))


@test("merges of adapters with other numbers are those of peft, Core Space and KnOTS")
def merges(work):
    folder = work / "adapter-merges"
    folder.mkdir()
    adapterMergeFixtures.make_all(folder, hidden=24, inner=28, rank=5, seed=50)
    count = run_unit_tests("src/node/adapterMerges.test.ts", "FUSESTUDIO_ADAPTER_MERGES", folder)
    return f"{count} checks"


MERGED_KINDS = [name for name, (base, _) in adapterFixtures.CASES.items() if base in ("llama", "gpt2")]


@test("peft loads what one adapter at weight 1 merges to, and computes the same with it")
def loads(work):
    folder = work / "adapter-laws"
    adapterFixtures.make_all(folder, hidden=16, vocab=24, inner=20, dtype=torch.float32, seed=60, only=MERGED_KINDS)
    ids = torch.arange(12)[None]
    worst = 0.0
    for name in MERGED_KINDS:
        base = folder / "bases" / adapterFixtures.CASES[name][0]
        (folder / name / "merged.safetensors").unlink()
        for method in ("linear", "cat", "linear_core"):
            out = folder / f"{name}-{method}"
            studio("merge-adapters", folder / name, out, "--method", method)
            logits = []
            for adapter in (folder / name, out):
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
                said = [str(w.message) for w in caught if "missing" in str(w.message) or "unexpected" in str(w.message)]
                require(not said, f"{name} by {method}: {said[:1]}")
                with torch.no_grad():
                    logits.append(model.eval()(ids).logits)
            error = ((logits[1] - logits[0]).abs().max() / logits[0].abs().max()).item()
            require(error <= 1e-5, f"{name} by {method}: logits differ by {error:.1e} of the largest")
            worst = max(worst, error)
    return f"{len(MERGED_KINDS)} kinds by 3 ways, logits within {worst:.1e} of the largest"


# model_stock is computed in the recipe's dtype by mergekit, and in float32 here. Two sums may straddle a
# rounding boundary of the bf16 of the models with their adapters: one step of it, which is eight of float16.
RECIPES = {"m07_athena_loras": (True, 1), "m43_gemma_crime": (False, 8)}


def check_recipe(name, in_float32, most):
    def check(work):
        text = (recipes_of_test_data() / f"{name}.yml").read_text()
        if in_float32:
            text = text.replace("dtype: bfloat16", "dtype: float32\nout_dtype: bfloat16")
        folder = models(work)
        recipe = folder / f"{name}.yml"
        recipe.write_text(text)
        studio("merge", recipe, folder / f"ours-{name}")
        theirs = folder / f"theirs-{name}"
        before = Path.cwd()
        os.chdir(folder)
        try:
            options = MergeOptions(quiet=True, write_model_card=False, lora_merge_cache=str(work / "lora-cache"))
            run_merge(MergeConfiguration.model_validate(yaml.safe_load(text)), str(theirs), options)
        finally:
            os.chdir(before)
        ours, wanted = load(folder / f"ours-{name}"), load(theirs)
        require(ours.keys() == wanted.keys(), "tensors differ")
        differing, count, worst = 0, 0, 0.0
        for tensor, value in wanted.items():
            apart = steps(ours[tensor], value)
            worst = max(worst, apart.max().item())
            differing += int((apart > 0).sum())
            count += apart.numel()
        require(worst <= most, f"{worst:.1f} steps of the output's dtype")
        # That happens to one value in about 40,000 of those that an adapter changes.
        require(differing <= count / 10_000, f"{differing} of {count} values differ")
        return f"{differing} of {count} values differ, by {worst:.1f} steps at most"

    return check


for name, (in_float32, most) in RECIPES.items():
    test(f"the published recipe {name}, whose inputs are adapters, gives mergekit's tensors")(
        check_recipe(name, in_float32, most)
    )
