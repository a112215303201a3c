"""Writes goldens/datasets/*.parquet and goldens/fused/pyarrow.parquet with pyarrow, for the tests of
reading them.

    python interop/parquetFixtures.py

Needs `pip install pyarrow==26.0.1`.
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
OUT = GOLDENS / "datasets"


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    messages = [
        [{"role": "user", "content": f"Question {i}?"}, {"role": "assistant", "content": f"Answer {i} é🦙."}]
        for i in range(7)
    ]
    chats = pa.table({"id": pa.array(range(7), pa.int64()), "messages": messages, "domain": ["a", "b"] * 3 + [None]})
    pq.write_table(chats, OUT / "chats.parquet", compression="snappy", row_group_size=3)
    pairs = pa.table({"question": ["1 + 1?", "2 + 2?", None], "answer": ["2", "4", "6"]})
    pq.write_table(pairs, OUT / "pairs.parquet", compression="none", use_dictionary=False)
    for codec in ("zstd", "gzip", "snappy", "brotli"):
        pq.write_table(pairs, OUT / f"pairs-{codec}.parquet", compression=codec)
    packed_lines()
    fused_rows()


def packed_lines():
    """Lines of JSON in two frames of Zstandard, and in two members of gzip."""
    lines = [json.dumps({"text": f"Line {i} é🦙"}, ensure_ascii=False) + "\n" for i in range(2000)]
    halves = ["".join(lines[:1000]).encode(), "".join(lines[1000:]).encode()]
    for ending, codec in (("zst", "zstd"), ("gz", "gzip")):
        frames = [pa.compress(half, codec=codec, asbytes=True) for half in halves]
        (OUT / f"lines.jsonl.{ending}").write_bytes(b"".join(frames))


def fused_rows():
    """A dataset as FuseChat's scripts leave it: padded, in 64 bits, a metric that is not a number."""
    length, rows = 16, []
    for record in json.loads((GOLDENS / "fused" / "three.json").read_text())[:2]:
        pivot, sources = record["pivot"], record["sources"]
        ids, k = pivot["tokens"]["ids"], 10
        labels = [-100] * length
        for position in pivot["positions"]:
            labels[position + 1] = ids[position + 1]

        def padded(said, empty):
            full = [empty] * length
            for position, row in zip(pivot["positions"], said["rows"]):
                full[position] = row
            return full

        def split(name, number, rows):
            return {
                f"per_step_{name}logits{number}": [[logit for _, logit in row] for row in rows],
                f"per_step_{name}indices{number}": [[id for id, _ in row] for row in rows],
            }

        row = {
            "input_ids": ids + [0] * (length - len(ids)),
            "attention_mask": [1] * len(ids) + [0] * (length - len(ids)),
            "labels": labels,
            "metric_ce": 1.25,
            **split("", "", padded(pivot, [(id, 0.0) for id in range(k)])),
        }
        for i, source in enumerate(sources):
            row |= split("aligned_", f"_{i}", padded(source, []))
            row[f"metric_ce_aligned_{i}"] = float("nan") if rows and i == 1 else 1.5
        rows.append(row)
    pq.write_table(pa.Table.from_pylist(rows), GOLDENS / "fused" / "pyarrow.parquet", compression="snappy")


if __name__ == "__main__":
    main()
