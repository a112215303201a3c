import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { remark } from "../../../engine/fuse/align/vocabulary.ts";
import { vocabularyInFolder } from "../../../node/vocabularyFiles.ts";
import { combine } from "../compare.ts";
import type { AlignmentCase } from "./alignmentCase.ts";
import { type GoldenRow, readGoldenLines } from "./files.ts";
import { modesOf } from "./modes.ts";
import { runRows } from "./runText.ts";

/** A line of `repr_MODEL.jsonl`: what a model said about a text. */
interface Represented {
  readonly input_ids: readonly number[];
  readonly per_step_logits: readonly (readonly number[])[];
  readonly per_step_indices: readonly (readonly number[])[];
}

/** A line of `aligned_SOURCE_to_PIVOT_hard.jsonl` or `…_soft.jsonl`: the rows FuseLLM made of it. */
interface Aligned {
  readonly per_step_aligned_logits_0: readonly (readonly number[])[];
  readonly per_step_aligned_indices_0: readonly (readonly number[])[];
}

const ALIGNED = /^aligned_(.+)_to_(.+)_(hard|soft)\.jsonl$/;

/**
 * What FuseLLM's own functions made of real models' rows: every `aligned_*.jsonl` of a folder, with
 * the models' tokenizers in `../models`. None where the folder has no such files.
 */
export async function fuseLlmCases(folder: string): Promise<readonly AlignmentCase[]> {
  const names = await readdir(folder).catch(() => []);
  return names.sort().flatMap((name) => {
    const [, source, pivot, mode] = ALIGNED.exec(name) ?? [];
    if (source === undefined || pivot === undefined) return [];
    const about = { folder, name, source, pivot, mapped: mode === "soft" };
    return [{ name: `fusellm/${source}_to_${pivot}/${mode}`, run: () => runAligned(about) }];
  });
}

async function runAligned(about: {
  readonly folder: string;
  readonly name: string;
  readonly source: string;
  readonly pivot: string;
  readonly mapped: boolean;
}) {
  const { folder, name, mapped } = about;
  const lines = <T>(file: string) => readGoldenLines(join(folder, file)) as Promise<readonly T[]>;
  const open = (model: string) => vocabularyInFolder(resolve(folder, "..", "models", model));
  const [pivot, source] = [await open(about.pivot), await open(about.source)];
  const mapping: Readonly<Record<string, string>> = JSON.parse(
    await readFile(join(folder, `vocab_mapping_${about.source}_to_${about.pivot}.json`), "utf8"),
  );
  const target = (id: number) => {
    const own = remark(source.piece(id), source, pivot);
    return pivot.idOf(mapped ? (mapping[own] ?? "") : own) ?? null;
  };
  const pivots = await lines<Represented>(`repr_${about.pivot}.jsonl`);
  const sources = await lines<Represented>(`repr_${about.source}.jsonl`);
  const wanted = await lines<Aligned>(name);
  const texts = wanted.map((want, i) => ({
    pivotIds: pivots[i]!.input_ids,
    sourceIds: sources[i]!.input_ids,
    rows: rowsOf(sources[i]!.per_step_indices, sources[i]!.per_step_logits),
    want: rowsOf(want.per_step_aligned_indices_0, want.per_step_aligned_logits_0),
  }));
  const mode = modesOf("fusellm").find(({ map }) => map === (mapped ? "mined" : "exact"))!;
  return combine(runRows({ pivot, source }, mode, { target, count: () => 0 }, texts));
}

function rowsOf(
  ids: readonly (readonly number[])[],
  logits: readonly (readonly number[])[],
): readonly GoldenRow[] {
  return ids.map((row, at) => [row, logits[at]!]);
}
