import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EngineError, FUSION_DEFAULTS } from "../engine/contract/index.ts";
import { bytesInMemory } from "../engine/core/bytes.ts";
import {
  type FusedHeader,
  openFusedFile,
  writeFusedFile,
} from "../engine/fuse/dataset/fusedFile.ts";
import { BadRow, findSources, readImportedRow } from "../engine/fuse/dataset/importRow.ts";
import { writeParquet } from "../engine/fuse/dataset/parquetWriter.ts";
import type { FusedRecord, Representation, UnfusedRecord } from "../engine/fuse/dataset/records.ts";
import { makeRecord, seededRandom } from "../engine/fuse/dataset/testRecords.ts";
import { refusal } from "../engine/fuse/rows/choose.ts";
import { readParquet } from "../engine/text/datasets/datasetParquet.ts";

/*
 * goldens/fused holds a small dataset in all formats, and as JSON what is in it: interop/test_fused.py
 * reads them in Python. Set FUSESTUDIO_WRITE_GOLDENS to write them again when a format changes.
 */
/** Of the test with damaged files: seeded, so that each run has the same. */
const RUNS = 400;
const pathOf = (name: string) => new URL(`../../goldens/fused/${name}`, import.meta.url);

const RECORDS: readonly FusedRecord[] = [
  makeRecord({ seed: 0, domain: "tale", text: "Ein Müller hatte drei Söhne 🐈." }),
  makeRecord({ seed: 1, vocabSize: 70_000, k: 10 }),
  makeRecord({ seed: 2, tokens: 1 }),
];
const HEADER: FusedHeader = {
  name: "three",
  vocabSize: 70_000,
  settings: FUSION_DEFAULTS.studio,
  documents: 3,
  members: ["pivot", "one", "two"],
  dropped: [{ reason: "no supervised token", count: 1 }],
};

async function* records() {
  yield* RECORDS;
}

/** What a writer wrote. */
async function collect(
  write: (take: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) => Promise<void>,
): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  await write(async (bytes) => void parts.push(bytes));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const chunks = <T>(list: ArrayLike<T>, size: number) =>
  Array.from({ length: size > 0 ? list.length / size : 0 }, (_, i) =>
    Array.from({ length: size }, (_, n) => list[i * size + n] as T),
  );
/** JSON has no NaN: null stands for it. */
const plain = (values: Float32Array) => Array.from(values, (x) => (Number.isFinite(x) ? x : null));

/** A record as interop/fused.py gives it. */
function asPython({ pivot, sources, weights, fused, tail, document, ...about }: FusedRecord) {
  const rowsOf = ({ offsets, ids, values }: FusedRecord["fused"]) =>
    Array.from({ length: offsets.length - 1 }, (_, row) =>
      Array.from({ length: offsets[row + 1]! - offsets[row]! }, (_, i) => [
        ids[offsets[row]! + i],
        values[offsets[row]! + i],
      ]),
    );
  const tokensOf = ({ ids, ends }: Representation["tokens"]) => ({
    ids: [...ids],
    ends: [...ends],
  });
  const kinds = ["text", "control", "end"];
  return {
    ...about,
    document: {
      ...document,
      pieces: document.pieces.map(({ kind, text, supervised }) => [
        kinds.indexOf(kind),
        supervised,
        text,
      ]),
    },
    pivot: {
      tokens: tokensOf(pivot.tokens),
      positions: [...pivot.positions],
      rows: chunks(pivot.ids, pivot.k).map((ids, row) =>
        ids.map((id, i) => [id, pivot.logits[row * pivot.k + i]]),
      ),
      logSums: plain(pivot.logSums),
      goldNats: plain(pivot.goldNats),
    },
    sources: sources.map(({ model, tokens, groups, reasons, from, rows, scored, ...floats }) => ({
      model,
      tokens: tokensOf(tokens),
      reasons,
      from: [...from],
      rows: rowsOf(rows),
      scored,
      groups: Array.from(reasons, (_, t) => [
        ...groups.positions.subarray(groups.offsets[t], groups.offsets[t + 1]),
      ]),
      logSums: plain(floats.logSums),
      goldNats: plain(floats.goldNats),
    })),
    weights: chunks(weights, 1 + sources.length),
    fused: rowsOf(fused),
    tail: [...tail],
  };
}

const FILES: readonly [name: string, make: () => Promise<Uint8Array>][] = [
  ["three.fused", () => collect((take) => writeFusedFile(HEADER, records(), take))],
  ...(["fusechat-v1", "fusechat-v2"] as const).map(
    (format): [string, () => Promise<Uint8Array>] => [
      `three-${format}.parquet`,
      () => collect((write) => writeParquet(records(), { format, sources: 2, write })),
    ],
  ),
  [
    "three.json",
    async () => new TextEncoder().encode(`${JSON.stringify(RECORDS.map(asPython), null, 1)}\n`),
  ],
];

test.each(FILES)("%s is written byte for byte as it was", async (name, make) => {
  const bytes = await make();
  if (process.env.FUSESTUDIO_WRITE_GOLDENS) writeFileSync(pathOf(name), bytes);
  expect(bytes).toEqual(new Uint8Array(readFileSync(pathOf(name))));
});

test("the golden file is read as what was written", async () => {
  const file = bytesInMemory(readFileSync(pathOf("three.fused")));
  const { records: found } = await openFusedFile(file, "three.fused");
  const back: FusedRecord[] = [];
  for await (const record of found) back.push(record);
  expect(back).toEqual(RECORDS);
});

test("a file that pyarrow wrote is taken in: padded, in 64 bits, one metric not a number", async () => {
  const source = bytesInMemory(readFileSync(pathOf("pyarrow.parquet")));
  const tokenizer = { tokenBytes: () => Uint8Array.of(97), isSpecial: () => false };
  const found: UnfusedRecord[] = [];
  for await (const row of readParquet(source, "pyarrow.parquet")) {
    const sources = findSources(new Set(Object.keys(row)));
    const fields = { dataset: "pyarrow.parquet", sources: sources!, vocabSize: 70_000, tokenizer };
    found.push(readImportedRow(row, found.length + 1, fields));
  }
  expect(found).toHaveLength(2);
  for (const [i, { pivot, sources }] of found.entries()) {
    const { tokens, positions, ids, logits } = RECORDS[i]!.pivot;
    expect(pivot).toMatchObject({ positions, ids, logits });
    expect(pivot.tokens.ids).toEqual(tokens.ids);
    expect(sources.map(({ rows }) => rows)).toEqual(RECORDS[i]!.sources.map(({ rows }) => rows));
  }
  const { settings } = HEADER;
  expect(found.map((record) => refusal(record, settings))).toEqual([null, "no metric of a source"]);
});

test("row groups that would not fit in memory are refused, with what to do", async () => {
  const source = bytesInMemory(readFileSync(pathOf("pyarrow.parquet")));
  const rows = readParquet(source, "pyarrow.parquet", { mostGroupBytes: 1000 });
  await expect(rows.next()).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("row_group_size=1"),
  });
});

test("a damaged Parquet file is refused by name, or read as far as its rows make sense", async () => {
  const whole = new Uint8Array(readFileSync(pathOf("pyarrow.parquet")));
  const random = seededRandom(3);
  const tokenizer = { tokenBytes: () => Uint8Array.of(97), isSpecial: () => false };
  const outcomes = { read: 0, refused: 0, badRow: 0 };
  for (let run = 0; run < RUNS; run++) {
    const bytes = whole.slice();
    for (let n = 0; n <= run % 4; n++) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    try {
      for await (const row of readParquet(bytesInMemory(bytes), "damaged.parquet")) {
        const sources = findSources(new Set(Object.keys(row)));
        if (!sources) continue;
        const fields = { dataset: "damaged.parquet", sources, vocabSize: 70_000, tokenizer };
        readImportedRow(row, 1, fields);
      }
      outcomes.read += 1;
    } catch (error) {
      if (error instanceof BadRow) outcomes.badRow += 1;
      else if (error instanceof EngineError) outcomes.refused += 1;
      else throw error;
    }
  }
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(0);
}, 60_000);
