"""Writes goldens/spectrum.json: singular values by LAPACK (numpy.linalg.svd in float64) of matrices that
a formula gives, so that src/engine/spectrum can make the same ones.

    python interop/spectrum.py

Needs `pip install numpy==2.4.6`.
"""

import json
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent / "goldens" / "spectrum.json"

# Σ weights[r]·u[r, i]·v[r, j] + noise·w[i, j], with u, v and w between -1 and 1, rounded to float32.
CASES = [
    {"name": "flat", "rows": 300, "columns": 200, "weights": [], "noise": 1},
    {"name": "flat-tall", "rows": 1100, "columns": 90, "weights": [], "noise": 1},
    {"name": "flat-wide", "rows": 75, "columns": 1301, "weights": [], "noise": 1},
    {"name": "spikes", "rows": 240, "columns": 301, "weights": [9, 4, 2, 2], "noise": 0.2},
    {"name": "one-spike", "rows": 130, "columns": 131, "weights": [100], "noise": 0.1},
    {"name": "low-rank-in-noise", "rows": 500, "columns": 128, "weights": [0.2] * 16, "noise": 0.1},
    {"name": "steep", "rows": 150, "columns": 170, "weights": [10 ** (-r / 6) for r in range(60)], "noise": 0},
    {"name": "gentle", "rows": 190, "columns": 260, "weights": [(1 + r) ** -0.5 for r in range(120)], "noise": 0},
    {"name": "rank-three", "rows": 210, "columns": 70, "weights": [1, 0.1, 0.01], "noise": 0},
    {"name": "tiny-values", "rows": 64, "columns": 48, "weights": [1e-21, 5e-22], "noise": 2e-22},
    {"name": "huge-values", "rows": 48, "columns": 64, "weights": [1e21], "noise": 3e20},
    {"name": "one-column", "rows": 77, "columns": 1, "weights": [], "noise": 1},
    {"name": "one-row", "rows": 1, "columns": 50, "weights": [], "noise": 1},
    {"name": "small", "rows": 9, "columns": 7, "weights": [], "noise": 1},
]  # fmt: skip


def finalise(h):
    h = (h ^ (h >> np.uint64(16))) * np.uint64(0x85EBCA6B) & np.uint64(0xFFFFFFFF)
    h = (h ^ (h >> np.uint64(13))) * np.uint64(0xC2B2AE35) & np.uint64(0xFFFFFFFF)
    return h ^ (h >> np.uint64(16))


def uniform(seed, count):
    """`uniform` of src/engine/core/random.ts for counters 0 … count - 1."""
    mask, counter = np.uint64(0xFFFFFFFF), np.arange(count, dtype=np.uint64)
    start = finalise(np.uint64(seed))
    high = finalise(start ^ (counter * np.uint64(0x9E3779B9) & mask))
    low = finalise(high ^ ((counter + np.uint64(1)) * np.uint64(0x85EBCA6B) & mask) ^ np.uint64(seed))
    return ((high >> np.uint64(5)).astype(float) * 2.0**26 + (low >> np.uint64(6)).astype(float)) / 2.0**53


def signed(seed, *shape):
    return (2 * uniform(seed, int(np.prod(shape))) - 1).reshape(shape)


def matrix(seed, rows, columns, weights, noise):
    u, v = signed(3 * seed, max(len(weights), 1), rows), signed(3 * seed + 1, max(len(weights), 1), columns)
    sums = noise * signed(3 * seed + 2, rows, columns)
    for weight, left, right in zip(weights, u, v):
        sums = sums + weight * np.outer(left, right)
    return sums.astype(np.float32)


def main():
    cases = []
    for i, case in enumerate(CASES):
        shape = {key: value for key, value in case.items() if key != "name"}
        made = matrix(i + 1, **shape).astype(float)
        values = np.linalg.svd(made, compute_uv=False)
        cases.append({**case, "seed": i + 1, "energy": float((made**2).sum()), "values": values[:80].tolist()})
    GOLDEN.write_text(json.dumps({"numpy": np.__version__, "cases": cases}, indent=1) + "\n")


main()
