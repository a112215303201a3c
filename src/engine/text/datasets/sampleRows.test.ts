import { expect, test } from "vitest";
import { bytesInMemory } from "../../core/bytes.ts";
import type { StoredDataset } from "./datasetLibrary.ts";
import { drawRows, sampleRows } from "./sampleRows.ts";

test("as many rows are drawn as asked for, or all, and the same seed draws the same", () => {
  for (const seed of [1, 2, 3]) expect(drawRows(1000, 37, seed).size).toBe(37);
  expect([...drawRows(5, 9, 1)]).toEqual([0, 1, 2, 3, 4]);
  expect(drawRows(0, 3, 1).size).toBe(0);
  expect([...drawRows(1000, 37, 1)]).toEqual([...drawRows(1000, 37, 1)]);
  expect([...drawRows(1000, 37, 2)]).not.toEqual([...drawRows(1000, 37, 1)]);
});

test("no row is drawn more often than another", () => {
  const counts = new Float64Array(10);
  for (let seed = 0; seed < 3000; seed++)
    for (const row of drawRows(10, 3, seed)) counts[row]! += 1;
  // 900 of each on average; five standard deviations of a binomial are 125.
  for (const count of counts) expect(Math.abs(count - 900)).toBeLessThanOrEqual(125);
});

test("rows are read in their order, and unreadable ones are not counted", async () => {
  const lines = [`{"text":"a"}`, "{", `{"text":"b"}`, `{"prompt":"c","answer":"d"}`];
  const stored: StoredDataset = {
    card: {
      id: "1",
      name: "x",
      rows: 3,
      byteLength: 1,
      createdAt: 0,
      problems: [],
      problemCount: 1,
      kind: "mixed",
    },
    file: "x.jsonl",
    source: bytesInMemory(new TextEncoder().encode(lines.join("\n"))),
  };
  const { signal } = new AbortController();
  const all = await sampleRows(stored, 9, signal);
  expect(all.map(({ kind }) => kind)).toEqual(["text", "text", "chat"]);
  expect(await sampleRows(stored, 2, signal)).toHaveLength(2);
  await expect(sampleRows(stored, 2, AbortSignal.abort())).rejects.toThrow();
});
