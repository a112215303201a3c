"""What the interop tests share: the studio's terminal, the samples, the outcome of a test."""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "public" / "samples"
BASE, TALES, DRAMA, MATHS = (
    SAMPLES / f"ember-{name}" for name in ("base", "tales", "drama", "maths")
)

# Standard output carries outcomes only; whatever the peers print goes to standard error.
OUTCOMES = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

TESTS = []


def test(name):
    """Registers a test under a sentence that could be false. It fails by raising."""

    def register(function):
        TESTS.append((name, function))
        return function

    return register


class Skipped(Exception):
    pass


def skip(reason):
    """Ends a test that cannot run here; it counts as skipped."""
    raise Skipped(reason)


def run_tests(work: Path):
    for name, function in TESTS:
        outcome, detail = "passed", None
        try:
            detail = function(work)
        except Skipped as reason:
            outcome, detail = "skipped", str(reason)
        except Exception as error:  # each failure is one line; the others still run
            traceback.print_exc()
            outcome, detail = "failed", f"{type(error).__name__}: {error}"
        print(json.dumps({"name": name, "outcome": outcome, "detail": detail}), file=OUTCOMES, flush=True)


def studio(*words):
    """Runs a command of the studio and gives its JSON."""
    command = [os.environ.get("NODE", "node"), str(ROOT / "bin" / "studio.mjs")]
    done = subprocess.run(
        [*command, *map(str, words), "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"studio {words[0]} ended with {done.returncode}: {done.stdout or done.stderr}")
    print(done.stderr, file=sys.stderr)
    return json.loads(done.stdout)


def run_vitest(folder: Path, file, variable, *options):
    """A test file of the project over another folder of goldens: how many of its tests passed."""
    report = folder / "report.json"
    vitest = [str(ROOT / "node_modules" / "vitest" / "vitest.mjs"), "run", "--project", "gpu", file]
    node = os.environ.get("NODE", "node")
    command = [node, str(ROOT / "scripts" / "with-browser.mjs"), node, *vitest, *options]
    done = subprocess.run(
        [*command, "--reporter=json", f"--outputFile={report}"], cwd=ROOT, capture_output=True,
        text=True, check=False, env={**os.environ, variable: str(folder)},
    )  # fmt: skip
    if not report.exists():
        raise RuntimeError(f"vitest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    results = [case for file in json.loads(report.read_text())["testResults"] for case in file["assertionResults"]]
    failed = [case for case in results if case["status"] == "failed"]
    for case in failed:
        print(case["title"], case["failureMessages"], file=sys.stderr)
    require(not failed, f"differ: {', '.join(case['title'] for case in failed)}")
    return sum(case["status"] == "passed" for case in results)


MERGED = {}


def merge(work: Path, name: str, recipe: str, *options) -> Path:
    """The folder that `studio merge` makes of a recipe; each is made once."""
    if name not in MERGED:
        path = work / f"{name}.yml"
        path.write_text(recipe)
        MERGED[name] = work / name
        studio("merge", path, MERGED[name], *options)
    return MERGED[name]


def require(condition, message):
    if not condition:
        raise AssertionError(message)
