import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bytesInMemory } from "../engine/core/bytes.ts";
import {
  type DatasetEntry,
  readDataset,
  summarizeDataset,
} from "../engine/text/datasets/datasets.ts";

/** Files that pyarrow wrote (interop/parquetFixtures.py). */
function readFixture(name: string): Buffer {
  return readFileSync(new URL(`../../goldens/datasets/${name}`, import.meta.url));
}

test("lists of messages come out of every row group, in order", async () => {
  const entries: DatasetEntry[] = [];
  const source = bytesInMemory(readFixture("chats.parquet"));
  for await (const entry of readDataset(source, "chats.parquet")) entries.push(entry);
  expect(entries).toHaveLength(7);
  for (const [i, entry] of entries.entries()) {
    expect(entry).toEqual({
      at: i + 1,
      row: {
        kind: "chat",
        messages: [
          { role: "user", content: `Question ${i}?` },
          { role: "assistant", content: `Answer ${i} é🦙.` },
        ],
        followUps: [],
        domain: i === 6 ? null : "ab"[i % 2],
      },
    });
  }
});

test("a row without its question is named by its number", async () => {
  const source = bytesInMemory(readFixture("pairs.parquet"));
  expect(await summarizeDataset(source, "pairs.parquet")).toEqual({
    format: "parquet",
    texts: 0,
    chats: 2,
    problems: [{ reason: "a question that is no text", count: 1, firstAt: 3 }],
    columns: [],
  });
});

test.each(["zstd", "gzip", "snappy"])("pages packed with %s are read", async (codec) => {
  const rowsOf = async (name: string) => {
    const entries: DatasetEntry[] = [];
    const source = bytesInMemory(readFixture(name));
    for await (const entry of readDataset(source, name)) entries.push(entry);
    return entries;
  };
  const plain = await rowsOf("pairs.parquet");
  expect(plain).toHaveLength(3);
  expect(await rowsOf(`pairs-${codec}.parquet`)).toEqual(plain);
});

test("a compression that is not read is refused with what to do", async () => {
  const source = bytesInMemory(readFixture("pairs-brotli.parquet"));
  await expect(summarizeDataset(source, "b.parquet")).rejects.toThrow('compression="snappy"');
});

test.each(["gzip", "zstd"])("a damaged page of %s is refused", async (codec) => {
  const bytes = Uint8Array.from(readFixture(`pairs-${codec}.parquet`));
  const at = 4 + 40; // within the first page
  bytes.fill(0xff, at, at + 8);
  const reading = summarizeDataset(bytesInMemory(bytes), "p.parquet");
  await expect(reading).rejects.toMatchObject({ code: "bad-header" });
});

test.each([
  ["cut short", (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 9)],
  ["with a footer longer than the file", (bytes: Uint8Array) => bytes.with(bytes.length - 6, 0xff)],
  [
    "with a damaged footer",
    (bytes: Uint8Array) =>
      bytes.map((b, i) => (i > bytes.length - 200 && i < bytes.length - 8 ? 0xff : b)),
  ],
  ["of four bytes", (bytes: Uint8Array) => bytes.subarray(0, 4)],
])("a file %s is refused", async (_, damage) => {
  const bytes = damage(Uint8Array.from(readFixture("chats.parquet")));
  const reading = summarizeDataset(bytesInMemory(bytes), "chats.parquet");
  await expect(reading).rejects.toMatchObject({ code: "bad-header" });
});
