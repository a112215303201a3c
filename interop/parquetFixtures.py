"""Writes goldens/datasets/*.parquet with pyarrow, for the Parquet reader's tests.

    python interop/parquetFixtures.py

Needs `pip install pyarrow==26.0.1`.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).resolve().parent.parent / "goldens" / "datasets"


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
    pq.write_table(pairs, OUT / "pairs-zstd.parquet", compression="zstd")


if __name__ == "__main__":
    main()
