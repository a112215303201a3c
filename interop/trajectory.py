"""Fifty steps of AdamW on a LoRA by the real torch, transformers and peft, as a golden for the trainer.

    python interop/trajectory.py goldens/train

Writes `trajectory.json` (settings, documents, and of every step the documents it read, its loss and the
gradient's norm before clipping) and `trajectory.safetensors` (the factors at the end). The model is a
tiny random one of goldens/nn, in float32. The same is trained once more in float64, as far as
transformers lets it (norms, softmax and angles stay in float32): how far torch is from itself says what
rounding alone does to such a trajectory.
"""

import argparse
import json
import math
import pathlib

import peft
import safetensors.torch
import torch
import transformers

import logits

MODULES = dict(q="q_proj", v="v_proj", up="up_proj", down="down_proj")
TOKENS, DOCUMENTS = 12, 20
SETTINGS = {
    "modules": list(MODULES), "rank": 2, "alpha": 4, "lambda": 0.9, "fusionLoss": "ce",
    "learningRate": 0.02, "schedule": "cosine", "warmup": 0.1,
    "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weightDecay": 0.1, "clip": 1.9,
    # Two documents a sequence, two sequences an update.
    "steps": 50, "batchTokens": 4 * TOKENS, "sequenceTokens": 2 * TOKENS, "packing": True,
}


def finalise(value):
    value = (value ^ value >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    value = (value ^ value >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return value ^ value >> 16


def uniform(seed, counter):
    """A number in [0, 1) of 53 bits, from the finaliser of MurmurHash3."""
    high = finalise(finalise(seed) ^ counter * 0x9E3779B9 & 0xFFFFFFFF)
    low = finalise(high ^ (counter + 1) * 0x85EBCA6B & 0xFFFFFFFF ^ seed)
    return ((high >> 5) * 2**26 + (low >> 6)) / 2**53


def shuffled(count, seed, epoch):
    order = list(range(count))
    stream = seed ^ (epoch + 1) * 0x9E3779B1 & 0xFFFFFFFF
    for i in reversed(range(1, count)):
        j = int(uniform(stream, i) * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def draw_documents(generator, vocabulary):
    """Prompts of 0 to 6 tokens, rows of 1 to 4 entries; every third document's rows have a tail."""
    documents = []
    for number in range(DOCUMENTS):
        ids = torch.randint(0, vocabulary, (TOKENS,), generator=generator).tolist()
        rows, tails = [], []
        positions = list(range(number % 7, TOKENS - 1))
        for _ in positions:
            size = int(torch.randint(1, 5, (1,), generator=generator))
            chosen = torch.randperm(vocabulary, generator=generator)[:size].tolist()
            tail = 0.25 if number % 3 == 0 else 0.0
            q = ((1 - tail) * torch.softmax(2 * torch.randn(size, generator=generator), 0)).tolist()
            rows.append([[i, p] for i, p in zip(chosen, q)])
            tails.append(tail)
        documents.append(dict(ids=ids, positions=positions, rows=rows, tails=tails))
    return documents


def lose(model, document, share):
    """Σ λ · clm + (1 - λ) · fusion over the positions that count."""
    row_logits = model(torch.tensor([document["ids"]]), use_cache=False).logits[0]
    logp = torch.log_softmax(row_logits.double(), -1)
    loss = torch.zeros((), dtype=torch.float64)
    for position, entries, tail in zip(document["positions"], document["rows"], document["tails"]):
        row = logp[position]
        loss = loss - share * row[document["ids"][position + 1]]
        taken = torch.stack([row[token] for token, _ in entries])
        q = torch.tensor([q for _, q in entries], dtype=torch.float64)
        loss = loss - (1 - share) * (q * taken).sum()
        if tail > 0:
            loss = loss - (1 - share) * tail * torch.log1p(-taken.exp().sum())
    return loss


def start(model):
    """A fresh LoRA, but for A: both sides fill it with the same numbers."""
    config = peft.LoraConfig(
        task_type="CAUSAL_LM", target_modules=sorted(MODULES.values()), r=SETTINGS["rank"],
        lora_alpha=SETTINGS["alpha"], lora_dropout=0,
    )
    model = peft.get_peft_model(model, config)
    trained = {name.replace(".default", ""): p for name, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for index, name in enumerate(sorted(trained)):
            factor = trained[name]
            i = torch.arange(factor.numel(), dtype=torch.float64)
            values = 0.3 * torch.sin(1.7 * i + 3 * index) if ".lora_A." in name else torch.zeros_like(i)
            factor.copy_(values.float().reshape(factor.shape))
    return model, trained


def train(folder, documents, seed, dtype):
    base = logits.load(folder).to(dtype)
    model, trained = start(base)
    s = SETTINGS
    optimiser = torch.optim.AdamW(
        trained.values(), lr=s["learningRate"], betas=(s["beta1"], s["beta2"]), eps=s["epsilon"],
        weight_decay=s["weightDecay"],
    )
    schedule = transformers.get_cosine_schedule_with_warmup(
        optimiser, math.ceil(s["warmup"] * s["steps"]), s["steps"]
    )
    points = []
    each = s["batchTokens"] // TOKENS
    while len(points) < s["steps"]:
        order = shuffled(DOCUMENTS, seed, len(points) * each // DOCUMENTS)
        for first in range(0, DOCUMENTS, each):
            chosen = order[first : first + each]
            counted = sum(len(documents[d]["positions"]) for d in chosen)
            optimiser.zero_grad()
            total = 0.0
            # One backward pass a sequence, each weighted by its tokens.
            for pair in (chosen[: each // 2], chosen[each // 2 :]):
                loss = sum(lose(model, documents[d], s["lambda"]) for d in pair) / counted
                loss.backward()
                total += float(loss.detach())
            norm = torch.nn.utils.clip_grad_norm_(trained.values(), s["clip"])
            rate = optimiser.param_groups[0]["lr"]
            optimiser.step()
            schedule.step()
            points.append(dict(documents=chosen, tokens=counted, loss=total, gradientNorm=float(norm), learningRate=rate))
    return points, {name: p.detach() for name, p in trained.items()}


def make(out, model, seed):
    """Trains the model of a folder; `model` is its path as the tests read it."""
    torch.set_num_threads(1)  # over matrices this small, threads only wait for each other
    out.mkdir(parents=True, exist_ok=True)
    documents = draw_documents(torch.Generator().manual_seed(seed), 61)
    points, factors = train(logits.ROOT / model, documents, seed, torch.float32)
    exact, other = train(logits.ROOT / model, documents, seed, torch.float64)
    far = lambda key: max(abs(a[key] / b[key] - 1) for a, b in zip(points, exact))
    largest = max(float(p.abs().max()) for p in factors.values())
    apart = max(float((factors[name].double() - other[name]).abs().max()) for name in factors)
    rounding = {"loss": far("loss"), "gradientNorm": far("gradientNorm"), "factors": apart / largest}
    safetensors.torch.save_file({n: p.contiguous() for n, p in factors.items()}, out / "trajectory.safetensors")
    versions = {"transformers": transformers.__version__, "peft": peft.__version__, "torch": torch.__version__}
    manifest = {
        "made_by": "interop/trajectory.py", "versions": versions, "model": model, "settings": dict(SETTINGS, seed=seed),
        "rounding": rounding, "documents": documents, "points": points,
    }
    (out / "trajectory.json").write_text(json.dumps(manifest) + "\n")
    return points, rounding


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    points, rounding = make(parser.parse_args().out, "goldens/nn/models/llama", 17)
    print(points[0], points[24], points[-1], rounding, sep="\n")


if __name__ == "__main__":
    main()
