import { expect, test } from "vitest";
import { bytesInMemory } from "../../core/bytes.ts";
import { readParquet } from "../../text/datasets/datasetParquet.ts";
import { sequenceMetrics } from "../rows/metrics.ts";
import { exportRow, type ParquetFormat } from "./exportRows.ts";
import { findSources, type ImportedFields, type ParquetRow, readImportedRow } from "./importRow.ts";
import { writeParquet } from "./parquetWriter.ts";
import { makeRecord, type RecordShape } from "./testRecords.ts";

/** Every id is a letter of its own; 0 is a control token. */
const tokenizer: ImportedFields["tokenizer"] = {
  tokenBytes: (id) => Uint8Array.of(97 + (id % 26)),
  isSpecial: (id) => id === 0,
};

/** Records as they come back from a Parquet file. */
async function throughParquet(shapes: readonly RecordShape[], format: ParquetFormat) {
  const records = shapes.map(makeRecord);
  async function* each() {
    yield* records;
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const sources = records[0]?.sources.length ?? 0;
  await writeParquet(each(), { format, sources, write: async (bytes) => void parts.push(bytes) });
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  const rows: ParquetRow[] = [];
  for await (const row of readParquet(bytesInMemory(bytes), "f.parquet")) rows.push(row);
  return { records, rows };
}

function fieldsOf(row: ParquetRow): ImportedFields {
  const sources = findSources(new Set(Object.keys(row)));
  if (!sources) throw new Error("the columns are known");
  return { dataset: "f.parquet", sources, vocabSize: 50, tokenizer };
}

test.each(["fusellm", "fusechat-v1"] as const)(
  "documents come back from Parquet with the fields of %s",
  async (format) => {
    const shapes = [1, 2, 3].map((seed) => ({ seed, tokens: 20 + seed }));
    const { records, rows } = await throughParquet(shapes, format);
    expect(rows).toHaveLength(3);
    for (const [i, record] of records.entries()) {
      const back = readImportedRow(rows[i]!, i + 1, fieldsOf(rows[i]!));
      const { ids, logits, positions, tokens } = record.pivot;
      expect(back.pivot).toMatchObject({ ids, logits, positions, k: record.pivot.k });
      expect(back.pivot.tokens.ids).toEqual(tokens.ids);
      expect(back.sources.map(({ rows: own }) => own)).toEqual(
        record.sources.map(({ rows: own }) => own),
      );
      const metric = { metric: "token" } as const;
      const [before, after] = [sequenceMetrics(record, metric), sequenceMetrics(back, metric)];
      // The pivot's is spread over the rows in f32.
      for (const [m, value] of before.entries()) expect(after[m]).toBeCloseTo(value, 5);
      const letters = Array.from(tokens.ids, (id) =>
        id === 0 ? "" : String.fromCharCode(97 + (id % 26)),
      );
      expect(back.document.pieces.map(({ text }) => text).join("")).toBe(letters.join(""));
    }
  },
);

test("FuseChat v2's fields hold the source of least metric", async () => {
  const { records, rows } = await throughParquet([{ seed: 4 }, { seed: 5 }], "fusechat-v2");
  for (const [i, record] of records.entries()) {
    const [, one, two] = sequenceMetrics(record, { metric: "token" }) as [number, number, number];
    const back = readImportedRow(rows[i]!, i + 1, fieldsOf(rows[i]!));
    expect(back.sources.map(({ rows: own }) => own)).toEqual([
      record.sources[two < one ? 1 : 0]?.rows,
    ]);
  }
});

test("what is masked, and the last row, is a row as wide as the others that says nothing wrong", () => {
  const record = makeRecord({ seed: 6 });
  const row = exportRow(record, "fusechat-v1") as Record<string, number[][]>;
  const labels = row.labels as unknown as number[];
  for (let t = 0; t < record.pivot.tokens.ids.length; t++) {
    expect(row.per_step_indices![t]).toHaveLength(record.pivot.k);
    expect(new Set(row.per_step_indices![t]).size).toBe(record.pivot.k);
    expect(row.per_step_logits![t]).toHaveLength(record.pivot.k);
    if (labels[t + 1] !== -100) continue;
    expect(row.per_step_indices![t]![0]).toBe(record.pivot.tokens.ids[t + 1]);
    expect(row.per_step_logits![t]!.slice(1).every((logit) => logit === -10_000)).toBe(true);
  }
});

const GOOD = exportRow(makeRecord({ seed: 7, sources: ["one"] }), "fusechat-v1");
const changed = (name: string, change: (value: never) => unknown): ParquetRow => ({
  ...GOOD,
  [name]: change(structuredClone(GOOD[name]) as never),
});
const put = (at: number[], value: unknown) => (list: unknown[]) => {
  let inner = list as unknown[];
  for (const index of at.slice(0, -1)) inner = inner[index] as unknown[];
  inner[at.at(-1) as number] = value;
  return list;
};
const [POSITION] = makeRecord({ seed: 7, sources: ["one"] }).pivot.positions as unknown as [number];

test.each<[string, ParquetRow, RegExp]>([
  ["a token beyond the vocabulary", changed("input_ids", put([0], 50)), /input_ids\[0\] is 50/],
  ["half a token", changed("input_ids", put([0], 1.5)), /input_ids\[0\] is 1.5/],
  ["no labels", changed("labels", () => null), /labels is no list/],
  ["labels too few", changed("labels", (list: number[]) => list.slice(1)), /12, 11 and 12 entries/],
  [
    "rows too few",
    changed("per_step_logits", (list: number[][]) => list.slice(0, 4)),
    /per_step_logits has 4 rows/,
  ],
  [
    "an id beyond the vocabulary",
    changed("per_step_indices", put([POSITION, 0], 99)),
    /names id 99, but the pivot's vocabulary has 50/,
  ],
  [
    "an id twice",
    changed("per_step_indices", (list: number[][]) => put([POSITION, 1], list[POSITION]![0])(list)),
    /names an id twice/,
  ],
  [
    "a logit that is NaN",
    changed("per_step_logits", put([POSITION, 0], Number.NaN)),
    /the logit NaN/,
  ],
  [
    "fewer logits than ids",
    changed("per_step_logits", put([POSITION], [1])),
    /has 4 ids and 1 logits/,
  ],
])("%s is named", (_, row, problem) => {
  expect(() => readImportedRow(row, 1, fieldsOf(row))).toThrow(problem);
});

test("padding at the end is not read, whatever stands there", () => {
  const pad = (list: unknown[], value: unknown) => [...list, value, value];
  const row: ParquetRow = {
    ...GOOD,
    input_ids: pad(GOOD.input_ids as number[], 3),
    labels: pad(GOOD.labels as number[], 3),
    attention_mask: pad(GOOD.attention_mask as number[], 0),
    per_step_logits: pad(GOOD.per_step_logits as number[][], []),
    per_step_indices: pad(GOOD.per_step_indices as number[][], []),
  };
  expect(readImportedRow(row, 1, fieldsOf(row))).toEqual(readImportedRow(GOOD, 1, fieldsOf(GOOD)));
});

test("columns of neither reference are told apart", () => {
  expect(findSources(new Set(["text"]))).toBeNull();
  const base = ["input_ids", "labels", "per_step_logits", "per_step_indices", "metric_ce"];
  expect(findSources(new Set(base))).toEqual([]);
  expect(findSources(new Set([...base, "per_step_aligned_logits_0"]))).toBeNull();
});

test("sources are those whose columns are there, whatever the first one's number", () => {
  const needed = ["input_ids", "labels", "per_step_logits", "per_step_indices", "metric_ce"];
  const of = (i: number) => [
    `per_step_aligned_logits_${i}`,
    `per_step_aligned_indices_${i}`,
    `metric_ce_aligned_${i}`,
  ];
  const models = (...columns: readonly string[]) =>
    findSources(new Set([...needed, ...columns]))?.map(({ model }) => model) ?? null;
  expect(models()).toEqual([]);
  expect(models(...of(1))).toEqual(["source 1"]);
  expect(models(...of(10), ...of(0), ...of(2))).toEqual(["source 0", "source 2", "source 10"]);
  expect(models(...of(1).slice(0, 2))).toBeNull();
});
