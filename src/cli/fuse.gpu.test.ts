import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFusedFile } from "../engine/fuse/dataset/fusedFile.ts";
import { readParquet } from "../engine/text/datasets/datasetParquet.ts";
import { fuse } from "./fuse.ts";

const sample = (name: string) => join("public", "samples", name);
const ROWS = [
  { text: "Two children met an old woman in the wood.", category: "tale" },
  { text: "What is 12 plus 30? 12 + 30 = 42.", category: "maths" },
];

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-fuse-"));
  data = join(folder, "texts.jsonl");
  await writeFile(data, `${ROWS.map((row) => JSON.stringify(row)).join("\n")}\n{no JSON\n`);
});
afterAll(() => rm(folder, { recursive: true }));

interface Figures {
  readonly rows: number;
  readonly coverage: number;
  readonly pivotWins: number;
  readonly sourceWins: number;
  readonly bitsPerByte: { readonly pivot: number; readonly source: number };
}

/** Runs the command; `stopAt` aborts it when progress first tells such a label. */
async function run(out: string, options: Record<string, string> = {}, stopAt?: RegExp) {
  const controller = new AbortController();
  const said: string[] = [];
  const labels: string[] = [];
  const outcome = await fuse.run({
    positionals: [sample("ember-base"), sample("flint-source"), data, out],
    options,
    signal: controller.signal,
    say: (line) => void said.push(line),
    progress(_done, _total, label) {
      labels.push(label);
      if (stopAt?.test(label)) controller.abort();
    },
  });
  return { json: outcome.json as Figures & Record<string, unknown>, said, labels };
}

test("a fusion that was interrupted goes on, and ends in the same file", async () => {
  const [whole, broken] = [join(folder, "whole", "data"), join(folder, "broken", "data")];
  const options = { source: sample("slate-source"), profile: "fusechat-v2" };
  const { json, said } = await run(whole, { ...options, parquet: "fusechat-v2" });
  expect(json).toMatchObject({
    documents: 2,
    profile: "fusechat-v2",
    files: ["data.fused", "data-fusechat-v2.parquet"],
    dropped: [{ reason: "no JSON (first: texts.jsonl, row 3)", count: 1 }],
  });
  expect(json.pivotWins + json.sourceWins).toBe(json.rows);
  expect(json.coverage).toBeGreaterThan(0.5);
  expect(json.bitsPerByte.source).not.toBeNull();
  expect(json.domains).toMatchObject([{ domain: "maths" }, { domain: "tale" }]);
  expect(said).toContain("Left out 1 times: no JSON (first: texts.jsonl, row 3)");

  // Twice: while a source reads its second document, and when all have read.
  for (const moment of [/flint-source reads document 2/, /Mapping the vocabulary of slate/]) {
    await expect(run(broken, options, moment)).rejects.toMatchObject({ name: "AbortError" });
    expect(await readdir(broken)).toEqual([".fusestudio"]);
  }
  await expect(run(broken, { ...options, "top-k": "5" })).rejects.toMatchObject({
    code: "permission",
  });
  const end = await run(broken, options);
  expect(end.labels.filter((label) => label.includes("reads document"))).toEqual([]);
  expect(await readdir(broken)).toEqual(["data.fused"]);
  const [one, two] = await Promise.all(
    [whole, broken].map((each) => readFile(join(each, "data.fused"))),
  );
  expect(one!.equals(two!)).toBe(true);

  const { header, records } = await openFusedFile(fileOf(one!), "data.fused");
  expect(header.members).toEqual(["ember-base", "flint-source", "slate-source"]);
  let rows = 0;
  for await (const { pivot } of records) rows += pivot.positions.length;
  expect(rows).toBe(json.rows);
  const parquet = await readFile(join(whole, "data-fusechat-v2.parquet"));
  let documents = 0;
  for await (const row of readParquet(fileOf(parquet), "data.parquet")) {
    expect(row).toMatchObject({ input_ids: expect.anything(), fused_metric_ce: expect.anything() });
    documents += 1;
  }
  expect(documents).toBe(2);
  await expect(run(whole, options)).rejects.toMatchObject({ code: "permission" });
}, 180_000);

test("what cannot be fused is refused before a folder is made or a GPU looked for", async () => {
  const out = join(folder, "refused");
  await expect(run(out, { profile: "mine" })).rejects.toMatchObject({ code: "usage" });
  await expect(run(out, { "top-k": "65" })).rejects.toMatchObject({ code: "usage" });
  await expect(run(out, { data: join(folder, "none.jsonl") })).rejects.toMatchObject({
    code: "missing-file",
  });
  await expect(run(out, { adapter: "no such adapter" })).rejects.toMatchObject({
    code: "no-adapter",
  });
  expect(await readdir(folder)).not.toContain("refused");
  const foreign = join(folder, "foreign");
  await mkdir(foreign);
  await writeFile(join(foreign, "thesis.txt"), "mine");
  await expect(run(foreign)).rejects.toMatchObject({ code: "permission" });
  expect(await readdir(foreign)).toEqual(["thesis.txt"]);
});

const fileOf = (bytes: Buffer) => ({
  byteLength: bytes.byteLength,
  read: async (start: number, length: number) =>
    Uint8Array.from(bytes.subarray(start, start + length)),
});
