"""Our decoder from the terminal, against the real transformers in float32 on the same folders."""

import math

import torch
from transformers import AutoTokenizer

import logits
from harness import SAMPLES, require, studio, test

BOUND = 2e-3
TEXT = (SAMPLES / "texts" / "tales.jsonl").read_text()[:900]


def theirs(folder, ids):
    with torch.no_grad():
        return logits.load(folder)(torch.tensor([ids]), use_cache=False).logits[0]


def check(folder, ids):
    answer = studio("logits", folder, "--ids", ",".join(map(str, ids)), "--all")
    ours = torch.tensor(answer["logits"])
    error = (ours - theirs(folder, ids)).abs().max().item()
    require(answer["ids"] == ids, "the ids came back changed")
    require(error <= BOUND, f"logits differ by {error:.2e}, over {BOUND:.0e}")
    return f"logits within {error:.1e}"


@test("tiny random models of every architecture, with new seeds, give transformers' logits")
def random_models(work):
    worst = []
    for seed, (name, (model_type, config, dtype)) in enumerate({**logits.RANDOM, **logits.LATER}.items()):
        folder = work / "nn" / name
        logits.make_random(folder, 1000 + seed, model_type, config, dtype)
        generator = torch.Generator().manual_seed(seed)
        ids = torch.randint(0, 61, (33,), generator=generator).tolist()
        worst.append(f"{name}: {check(folder, ids)}")
    return "; ".join(worst)


@test("the samples of three architectures give transformers' logits at every position of a text")
def samples(_):
    details = []
    for name in logits.SAMPLES:
        ids = AutoTokenizer.from_pretrained(SAMPLES / name)(TEXT)["input_ids"][:160]
        details.append(f"{name}: {check(SAMPLES / name, ids)}")
    return "; ".join(details)


@test("perplexity over a text is transformers' to six digits")
def perplexity(work):
    folder = SAMPLES / "ember-base"
    ids = AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"]
    file = work / "text.txt"
    file.write_text(TEXT)
    answer = studio("perplexity", folder, file, "--window", len(ids) + 1)
    loss = torch.nn.functional.cross_entropy(
        theirs(folder, ids)[:-1].double(), torch.tensor(ids[1:])
    ).item()
    require(answer["tokens"] == len(ids) - 1, "another number of tokens was predicted")
    error = abs(answer["natsPerToken"] / loss - 1)
    require(error <= 1e-6, f"{answer['natsPerToken']} nats per token, not {loss}")
    bits = answer["nats"] / math.log(2) / len(TEXT.encode())
    require(abs(answer["bitsPerByte"] / bits - 1) <= 1e-9, "bits per byte count other bytes")
    return f"{loss:.6f} nats per token, off by {error:.0e}"


@test("100 greedy tokens are transformers' own, but for near ties")
def greedy(_):
    folder = SAMPLES / "flint-source"
    prompt = AutoTokenizer.from_pretrained(folder)("Once upon a time")["input_ids"]
    with torch.no_grad():
        wanted, gaps = logits.greedy(logits.load(folder), prompt, 100)
    ids = ",".join(map(str, prompt))
    got = studio("generate", folder, "--ids", ids, "--tokens", 100, "--ignore-stop")["ids"]
    other = next((i for i, pair in enumerate(zip(got, wanted)) if pair[0] != pair[1]), None)
    require(len(got) == 100, f"{len(got)} tokens were drawn")
    require(other is None or gaps[other] <= 2 * BOUND, f"token {other} differs")
    return "all equal" if other is None else f"equal up to a near tie at {other}"
