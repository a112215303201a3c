"""The trainer on Dawn beside the real torch, and its adapters in the real peft."""

import json
import shutil

import peft
import torch
from transformers import AutoTokenizer

import logits
import trajectory
from harness import BASE, SAMPLES, require, run_vitest, studio, test

BOUND = 2e-3
TEXTS = [json.loads(line)["text"][:160] for line in (SAMPLES / "texts" / "tales.jsonl").read_text().splitlines()[:6]]


@test("fifty steps of AdamW on a LoRA, from a new seed, go where torch, transformers and peft go")
def fifty_steps(work):
    folder = work / "trajectory"
    model_type, config, dtype = logits.RANDOM["llama"]
    logits.make_random(folder / "model", 3000, model_type, config, dtype)
    points, rounding = trajectory.make(folder, str(folder / "model"), 23)
    require(points[-1]["loss"] < points[0]["loss"], "nothing was learned")
    require(run_vitest(folder, "src/node/trajectory.gpu.test.ts", "FUSESTUDIO_TRAJECTORY") == 1, "it did not run")
    return f"torch's own rounding: {rounding['loss']:.0e} of the loss, {rounding['factors']:.0e} of a factor"


FUSED = {}


def fused(work):
    """A fused dataset of a few short texts, in the tokens of ember-base; made once."""
    if not FUSED:
        data = work / "texts.jsonl"
        data.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
        FUSED["folder"] = work / "fused"
        studio("fuse", BASE, SAMPLES / "flint-source", data, FUSED["folder"], "--tail", "bucket", "--max-tokens", 64)
    return FUSED["folder"]


@torch.no_grad()
def ask(model, ids):
    return model.eval()(torch.tensor([ids]), use_cache=False).logits[0].float()


def compare(work, name, pivot, *options):
    """Trains for some steps; the pivot with the adapter in peft must be the target, here and there."""
    out = work / f"target-{name}"
    studio(
        "distill", pivot, fused(work), out, "--steps", 4, "--learning-rate", 2e-2, "--warmup", 0, "--batch-tokens", 96,
        "--sequence-tokens", 48, "--rank", 3, "--dtype", "F32", *options,
    )  # fmt: skip
    ids = AutoTokenizer.from_pretrained(BASE)(" ".join(TEXTS))["input_ids"][:40]
    before = ask(logits.load(pivot), ids)
    adapted = ask(peft.PeftModel.from_pretrained(logits.load(pivot), out / "adapter"), ids)
    target = ask(logits.load(out), ids)
    moved = (adapted - before).abs().max().item()
    require(moved > 100 * BOUND, f"four steps moved the logits by {moved:.1e}: that tells nothing")
    error = (adapted - target).abs().max().item()
    require(error <= BOUND, f"{name}: peft and the target differ by {error:.1e}")
    ours = torch.tensor(studio("logits", out, "--ids", ",".join(map(str, ids)), "--all")["logits"])
    studios = (adapted - ours).abs().max().item()
    require(studios <= BOUND, f"{name}: peft and the studio differ by {studios:.1e}")
    return f"{name}: within {error:.0e} of the target and {studios:.0e} of the studio, where training moved {moved:.1f}"


@test("an adapter of every matrix of a Llama gives in peft the logits of the studio's target")
def llama_adapter(work):
    return compare(work, "ember", BASE, "--dropout", 0.1)


@test("adapters beside Conv1D, embedding and head give in peft the logits of the studio's target")
def other_adapters(work):
    small = dict(vocab_size=1024, n_embd=36, n_layer=2, n_head=3, n_positions=64)
    details = []
    for seed, (name, modules, tied) in enumerate([("conv1d", "q,down", False), ("tied", "embeddings,head,o", True)]):
        pivot = work / f"gpt2-{name}"
        logits.make_random(pivot, 4000 + seed, "gpt2", dict(small, tie_word_embeddings=tied), "bfloat16")
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(BASE / file, pivot)
        details.append(compare(work, name, pivot, "--modules", modules))
    return "; ".join(details)
