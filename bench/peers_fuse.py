"""What the fuse bench measures us against: the references' algorithms, plainly, in Python and numpy.

Written from a description of the algorithms, not from the references' code. Reads one JSON request a
line: {"stage", "file"}; the file holds the inputs. Answers with {"seconds", "cpuSeconds", "rows", "answer"},
{"missing": reason} or {"error": sentence}. Edit distances are those of the package `editdistance`
(C++, which the references use) where it is installed, else our own with every pair kept.
"""

import json
import os
import sys
import time

try:
    from editdistance import eval as distance

    DISTANCE = "editdistance"
except ImportError:
    DISTANCE = "plain Python"
    KEPT = {}

    def distance(a, b):
        known = KEPT.get((a, b))
        if known is None:
            known = KEPT[(a, b)] = levenshtein(a, b)
        return known


def levenshtein(a, b):
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y)))
        above = row
    return above[-1]


def warp(data):
    """Dynamic time warping of token strings: groups of source positions for each pivot position."""
    contains = data["profile"] == "fusechat-v1"
    source_first = data["profile"] != "fusechat-v2"

    def cost(s, p):
        far = distance(s, p)
        return far * 0.1 if contains and (s in p or p in s) else far

    answer, rows = [], 0
    for source, pivot in data["documents"]:
        answer.append(warp_one(source, pivot, cost, source_first))
        rows += len(pivot)
    return rows, answer


def warp_one(source, pivot, cost, source_first):
    n, m = len(source), len(pivot)
    far = float("inf")
    table = [[far] * m for _ in range(n)]
    for i in range(n):
        for j in range(m):
            before = 0.0 if i == 0 and j == 0 else far
            if i > 0:
                before = min(before, table[i - 1][j])
            if j > 0:
                before = min(before, table[i][j - 1])
            if i > 0 and j > 0:
                before = min(before, table[i - 1][j - 1])
            table[i][j] = cost(source[i], pivot[j]) + before
    groups = [[] for _ in range(m)]
    i, j = n - 1, m - 1
    while True:
        groups[j].append(i)
        if i == 0 and j == 0:
            break
        diagonal = table[i - 1][j - 1] if i > 0 and j > 0 else far
        up = table[i - 1][j] if i > 0 else far
        left = table[i][j - 1] if j > 0 else far
        ways = [(diagonal, i - 1, j - 1), (up, i - 1, j), (left, i, j - 1)]
        if not source_first:
            ways[1], ways[2] = ways[2], ways[1]
        _, i, j = min(ways, key=lambda way: way[0])  # the first of equal ones
    return [group[::-1] for group in groups]


def offsets(data):
    """Pairs the tokens of two tokenisations that end at the same byte."""
    answer, rows = [], 0
    for source, pivot in data["documents"]:
        partner, j = [-1] * len(pivot), 0
        for i, end in enumerate(pivot):
            while j < len(source) and source[j] < end:
                j += 1
            if j < len(source) and source[j] == end:
                partner[i] = j
        answer.append(sum(p >= 0 for p in partner))
        rows += len(pivot)
    return rows, answer


def map_rows(data):
    """Each entry to the pivot's id: the equal string, else a fall-back; of two the first stays."""
    ids = {piece: i for i, piece in enumerate(data["pivot"])}
    pieces = data["source"]
    marker, other = data["markers"]
    fallback = data["map"]
    answer = []
    for row in data["rows"]:
        mapped = []
        seen = set()
        for i in row:
            piece = pieces[i].replace(other, marker)
            target = ids[piece] if piece in ids else fallback[i]
            if target not in seen:
                seen.add(target)
                mapped.append(target)
        answer.append(mapped)
    return len(answer), answer


def mined(data):
    """The nearest string of the whole vocabulary, the first of equal ones: one source string a row."""
    answer = []
    for piece in data["pieces"]:
        far = [distance(piece, other) for other in data["pivot"]]
        answer.append(far.index(min(far)))
    return len(answer), answer


def fuse(data):
    """Dense targets as a collator makes them, then MinCE or AvgCE over whole sequences."""
    import numpy as np

    width, answer, rows = data["width"], [], 0
    for members in data["documents"]:
        dense = []
        for member in members:
            logits = np.array(member["logits"], np.float32)
            kept = np.exp(logits - logits.max(1, keepdims=True))
            kept /= kept.sum(1, keepdims=True)
            target = np.zeros((len(logits), width), np.float32)
            np.put_along_axis(target, np.array(member["ids"]), kept, 1)
            dense.append(target)
        rewards = np.exp(-np.array([member["metric"] for member in members], np.float32))
        if data["fusion"] == "mince":
            fused = dense[int(rewards.argmax())]
        else:
            shares = np.exp(rewards) / np.exp(rewards).sum()
            fused = sum(share * target for share, target in zip(shares, dense))
        rows += len(fused)
        answer.append([[int(i), float(fused[0, i])] for i in fused[0].nonzero()[0]])
    return rows, answer


def represent(data):
    """The model's logits, the ten largest of each row and the log-sum-exp, with torch on the CPU."""
    import torch

    model = MODELS[data["model"]]
    rows, answer = 0, []
    with torch.inference_mode():
        for ids in data["documents"]:
            logits = model(torch.tensor([ids])).logits[0].float()
            top = logits.topk(10)
            logits.logsumexp(-1).half()
            rows += len(ids)
            answer.append([float(x) for x in top.values[-1].half()[:3]])
    return rows, answer


MODELS = {}


def prepare(stage, data):
    """What is no part of the measured work: files are read, models loaded and run once."""
    if stage == "represent" and data["model"] not in MODELS:
        import torch
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(data["model"], dtype=torch.float32)
        MODELS[data["model"]] = model
        with torch.inference_mode():
            model(torch.tensor([data["documents"][0]]))


STAGES = {
    "warp": warp,
    "offsets": offsets,
    "map rows": map_rows,
    "mined": mined,
    "fuse": fuse,
    "represent": represent,
}


def reply(request):
    with open(request["file"], encoding="utf-8") as file:
        data = json.load(file)
    try:
        prepare(request["stage"], data)
        begun, busy = time.perf_counter(), time.process_time()
        rows, answer = STAGES[request["stage"]](data)
        seconds = time.perf_counter() - begun
        cpu_seconds = time.process_time() - busy  # of all threads
    except ImportError as error:
        return {"missing": f"NOT RUN: {error}"[:200]}
    except Exception as error:  # told in the table, whatever it is
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    return {"seconds": seconds, "cpuSeconds": cpu_seconds, "rows": rows, "answer": answer}


def main():
    # What a library prints must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    version = f"Python {sys.version.split()[0]}, edit distances: {DISTANCE}"
    try:
        import numpy

        version += f", numpy {numpy.__version__}"
    except ImportError:
        version += ", no numpy"
    print(json.dumps({"version": version}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(reply(json.loads(line))), file=answers, flush=True)


main()
