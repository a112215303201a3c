"""Fused datasets of the studio, read by somebody else: goldens/fused is what our tests write."""

import json
import math
from pathlib import Path

import pyarrow.parquet as parquet

import fused
from harness import ROOT, require, test

GOLDENS = ROOT / "goldens" / "fused"


def plain(value):
    """As JSON has it: no tuples, null for NaN."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


@test("a fused dataset is read in Python from its description alone")
def reads_own_format(work: Path):
    header, records = fused.read(GOLDENS / "three.fused")
    found = [plain(record) for record in records]
    expected = json.loads((GOLDENS / "three.json").read_text())
    require(header["documents"] == len(found) == 3, f"{len(found)} of {header['documents']} documents")
    require(header["members"] == ["pivot", "one", "two"], f"members {header['members']}")
    for theirs, ours in zip(found, expected):
        for field in ours:
            require(theirs[field] == ours[field], f"document {ours['number']}: {field} differs")
    rows = sum(len(record["pivot"]["positions"]) for record in found)
    return f"{rows} rows"


@test("Parquet exports are read by pyarrow, lists in lists, empty ones too")
def reads_parquet(work: Path):
    expected = json.loads((GOLDENS / "three.json").read_text())
    table = parquet.read_table(GOLDENS / "three-fusechat-v1.parquet").to_pylist()
    require(len(table) == len(expected), f"{len(table)} rows")
    entries = 0
    for row, ours in zip(table, expected):
        ids, positions = ours["pivot"]["tokens"]["ids"], ours["pivot"]["positions"]
        labels = [-100] * len(ids)
        for position in positions:
            labels[position + 1] = ids[position + 1]
        require(row["input_ids"] == ids, "input_ids differ")
        require(row["labels"] == labels, "labels differ")
        pairs = [("per_step_logits", "per_step_indices", ours["pivot"])] + [
            (f"per_step_aligned_logits_{i}", f"per_step_aligned_indices_{i}", source)
            for i, source in enumerate(ours["sources"])
        ]
        for logits, indices, said in pairs:
            require(len(row[logits]) == len(row[indices]) == len(ids), f"{logits} has {len(row[logits])} rows")
            for position, entry in zip(positions, said["rows"]):
                read = [list(pair) for pair in zip(row[indices][position], row[logits][position])]
                require(read == entry, f"{logits} at {position}: {read}, not {entry}")
                entries += len(entry)
    fused_names = set(parquet.read_schema(GOLDENS / "three-fusechat-v2.parquet").names)
    wanted = {"fused_per_step_logits", "fused_per_step_indices", "fused_metric_ce", "metric_ce"}
    require(wanted <= fused_names, f"fields {sorted(fused_names)}")
    return f"{entries} entries"
