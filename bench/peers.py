"""The same merges in torch and in real mergekit, on the same folders, for bench/merge.ts.

Reads one JSON request a line: {"method", "base", "models", "out", "dtype"}; answers with
{"seconds", "rss"}, {"missing": reason} or {"error": sentence}. `python peers.py torch|mergekit`.
Every answer ends with the result on the disk (fsync), as ours does.
"""

import contextlib
import json
import os
import resource
import shutil
import sys
import time

FLOATS = {"F32": "float32", "BF16": "bfloat16"}


def merge_torch(request):
    """One tensor after the other in float32, as a careful script would; the result in one file."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    method, dtype = request["method"], getattr(torch, FLOATS[request["dtype"]])
    folders = [request["base"], *request["models"]]
    with contextlib.ExitStack() as stack, torch.inference_mode():
        files = [
            stack.enter_context(safe_open(os.path.join(f, "model.safetensors"), "pt")) for f in folders
        ]
        merged = {}
        for name in files[0].keys():
            base, *models = [file.get_tensor(name).float() for file in files]
            merged[name] = MERGES[method](base, models).to(dtype).contiguous()
        save_file(merged, os.path.join(request["out"], "model.safetensors"), {"format": "pt"})


def linear(base, models):
    return sum(x / (len(models) + 1) for x in [base, *models])


def task_arithmetic(base, models):
    return base + sum(0.5 * (x - base) for x in models)


def varm(base, models):
    deltas = [x - base for x in models]
    moved = [d.square().sum(dtype=d.dtype) for d in deltas]
    total = sum(moved)
    if total == 0:
        return base
    return base + sum(m / total * d for m, d in zip(moved, deltas))


def slerp(base, models, t=0.4):
    import torch

    a, b = base.flatten(), models[0].flatten()
    cosine = torch.dot(a, b) / (a.norm() * b.norm())
    if cosine.abs() > 0.9995:
        return (1 - t) * base + t * models[0]
    angle = torch.acos(cosine)
    return (torch.sin((1 - t) * angle) * base + torch.sin(t * angle) * models[0]) / torch.sin(angle)


MERGES = {"linear": linear, "task_arithmetic": task_arithmetic, "varm": varm, "slerp": slerp}


def merge_mergekit(request):
    from mergekit.config import MergeConfiguration
    from mergekit.merge import run_merge
    from mergekit.options import MergeOptions

    method, base, models = request["method"], request["base"], request["models"]
    config = {"merge_method": method, "dtype": "float32", "out_dtype": FLOATS[request["dtype"]]}
    if method == "linear":
        config["models"] = [{"model": m, "parameters": {"weight": 1}} for m in [base, *models]]
    elif method == "task_arithmetic":
        config["base_model"] = base
        config["models"] = [{"model": m, "parameters": {"weight": 0.5}} for m in models]
    else:
        config.update(base_model=base, parameters={"t": 0.4})
        config["models"] = [{"model": m} for m in [base, *models]]
    options = MergeOptions(copy_tokenizer=False, write_model_card=False, quiet=True)
    run_merge(MergeConfiguration.model_validate(config), request["out"], options=options)


def put_on_disk(folder):
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb+") as file:
            os.fsync(file.fileno())


def answer(peer, request):
    if peer == "mergekit" and request["method"] == "varm":
        return {"missing": "no such method"}
    try:
        shutil.rmtree(request["out"], ignore_errors=True)
        os.makedirs(request["out"])
        begun = time.perf_counter()
        (merge_torch if peer == "torch" else merge_mergekit)(request)
        put_on_disk(request["out"])
        seconds = time.perf_counter() - begun
    except Exception as error:  # told in the table, whatever it is
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    return {"seconds": seconds, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def main():
    # What a library prints must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    peer = sys.argv[1]
    try:
        import torch

        version = torch.__version__
        if peer == "mergekit":
            import importlib.metadata

            import transformers.configuration_utils

            # transformers 5 imports torch there for type checkers only; mergekit's pydantic asks for it.
            transformers.configuration_utils.torch = torch
            import mergekit.merge  # noqa: F401

            version = importlib.metadata.version("mergekit")
        hello = {"version": version}
    except ImportError as error:
        hello = {"error": str(error)}
    print(json.dumps(hello), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(peer, json.loads(line))), file=answers, flush=True)


main()
