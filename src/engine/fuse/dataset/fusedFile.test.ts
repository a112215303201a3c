import { expect, test } from "vitest";
import { FUSION_DEFAULTS } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { encodeFused } from "./codec.ts";
import { type FusedHeader, openFusedFile, writeFusedFile } from "./fusedFile.ts";
import { frameRecord } from "./recordFile.ts";
import type { FusedRecord } from "./records.ts";
import { makeRecord } from "./testRecords.ts";

const HEADER: FusedHeader = {
  name: "tales",
  vocabSize: 50,
  settings: FUSION_DEFAULTS.studio,
  documents: 3,
  members: ["pivot", "one", "two"],
  dropped: [{ reason: "no supervised token", count: 1 }],
};
const RECORDS = [1, 2, 3].map((seed) => makeRecord({ seed }));

async function* each<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list;
}

async function written(header = HEADER, records: readonly FusedRecord[] = RECORDS) {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  await writeFusedFile(header, each(records), async (bytes) => void parts.push(bytes));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function read(bytes: Uint8Array) {
  const { header, records } = await openFusedFile(bytesInMemory(bytes), "tales.fused");
  const found: FusedRecord[] = [];
  for await (const record of records) found.push(record);
  return { header, found };
}

test("a dataset comes back from its file, and goes there as the same bytes", async () => {
  const bytes = await written();
  const { header, found } = await read(bytes);
  expect(header).toMatchObject(HEADER);
  expect(found).toEqual(RECORDS);
  expect(await written(HEADER, found)).toEqual(bytes);
});

test.each([
  ["another file", async () => new TextEncoder().encode("PAR1 and so on"), "bad-header"],
  ["nothing", async () => new Uint8Array(), "bad-header"],
  ["only a beginning", async () => (await written()).slice(0, 400), "truncated"],
  ["a last byte too few", async () => (await written()).slice(0, -1), "truncated"],
  ["a document too few", () => written(HEADER, RECORDS.slice(1)), "truncated"],
  ["a smaller vocabulary", () => written({ ...HEADER, vocabSize: 20 }), "bad-offsets"],
  ["another number of sources", () => written({ ...HEADER, members: ["pivot"] }), "bad-offsets"],
  ["no members", () => written({ ...HEADER, members: [] }), "bad-header"],
  [
    "settings of a newer version",
    () => written({ ...HEADER, settings: { ...FUSION_DEFAULTS.studio, fusion: "maxce" as never } }),
    "bad-header",
  ],
  [
    "a probability of 2",
    () => {
      const [first] = RECORDS as [FusedRecord];
      const values = first.fused.values.map(() => 2);
      return written(HEADER, [{ ...first, fused: { ...first.fused, values } }]);
    },
    "bad-offsets",
  ],
])("%s is refused by name", async (_, make, code) => {
  await expect(make().then(read)).rejects.toMatchObject({ code });
});

test("a damaged byte is found by its checksum", async () => {
  const bytes = await written();
  bytes[bytes.byteLength - 40]! ^= 1;
  await expect(read(bytes)).rejects.toMatchObject({
    code: "truncated",
    message: expect.stringContaining("record 3 is damaged"),
  });
});

test("a checksum does not vouch for what is in a record", async () => {
  const bytes = await written({ ...HEADER, documents: 4 });
  const hostile = encodeFused(RECORDS[0]!).fill(255, 60, 90);
  const framed = frameRecord(hostile);
  const all = new Uint8Array(bytes.byteLength + framed.byteLength);
  all.set(bytes);
  all.set(framed, bytes.byteLength);
  await expect(read(all)).rejects.toMatchObject({ name: "EngineError" });
});
