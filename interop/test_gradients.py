"""Our backward pass on Dawn, against the real torch, transformers and peft."""

import json
import os
import subprocess
import sys

import gradients
import logits
from harness import ROOT, require, test


def run_ours(folder):
    """The project's own test of gradients, over another folder of answers: how many cases passed."""
    report = folder / "report.json"
    vitest = [str(ROOT / "node_modules" / "vitest" / "vitest.mjs"), "run", "--project", "gpu"]
    options = ["src/node/gradients.gpu.test.ts", "-t", "for a cpu", "--reporter=json", f"--outputFile={report}"]
    node = os.environ.get("NODE", "node")
    command = [node, str(ROOT / "scripts" / "with-browser.mjs"), node, *vitest, *options]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "FUSESTUDIO_GRADIENTS": str(folder)},
    )
    if not report.exists():
        raise RuntimeError(f"vitest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    results = [case for file in json.loads(report.read_text())["testResults"] for case in file["assertionResults"]]
    for case in results:
        if case["status"] == "failed":
            print(case["title"], case["failureMessages"], file=sys.stderr)
    failed = [case["title"] for case in results if case["status"] == "failed"]
    require(not failed, f"differ: {', '.join(failed)}")
    return sum(case["status"] == "passed" for case in results)


@test("gradients of LoRA factors and of all weights, over new seeds, are those of torch and peft")
def fresh(work):
    models = work / "trained"
    used = {model for model, _ in gradients.CASES.values()}
    for seed, (name, (model_type, config, dtype)) in enumerate(logits.RANDOM.items()):
        if name in used:
            logits.make_random(models / name, 2000 + seed, model_type, config, dtype)
    folder = work / "gradients"
    count = gradients.make(folder, str(models), 12)
    passed = run_ours(folder)
    require(passed == len(gradients.CASES), f"{passed} of {len(gradients.CASES)} cases ran")
    return f"{count} gradients of {passed} models"
