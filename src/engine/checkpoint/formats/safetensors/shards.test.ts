import fc from "fast-check";
import { expect, test } from "vitest";
import { DTYPES } from "../../../contract/index.ts";
import { bytesInMemory } from "../../../core/bytes.ts";
import { bitsPerElement } from "../../../core/tensor/dtype.ts";
import { readHeader } from "./header.ts";
import { type PlannedFile, planShards } from "./shards.ts";

const f32 = (name: string, ...shape: number[]) => ({ name, dtype: "F32" as const, shape });

/** The file as it will lie on disk, its weights zero. */
function zeroFile({ header, byteLength }: PlannedFile): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  bytes.set(header);
  return bytes;
}

test("what fits in one file is called model.safetensors and has no index", () => {
  const { files, index } = planShards([f32("a", 2, 3), f32("b")], { maxBytes: 28, metadata: {} });
  expect(files.map(({ path }) => path)).toEqual(["model.safetensors"]);
  expect(index).toBeNull();
});

test("a byte more than fits starts the next file", () => {
  const { files, index } = planShards([f32("b", 2, 3), f32("a")], { maxBytes: 27, metadata: {} });
  expect(files.map(({ path }) => path)).toEqual([
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
  ]);
  expect(JSON.parse(index!)).toEqual({
    metadata: { total_parameters: 7, total_size: 28 },
    weight_map: {
      a: "model-00002-of-00002.safetensors",
      b: "model-00001-of-00002.safetensors",
    },
  });
  expect(index!.indexOf('"a"')).toBeLessThan(index!.indexOf('"b"'));
});

test("a tensor larger than a shard gets a file of its own", () => {
  const tensors = [f32("a", 1), f32("big", 100), f32("c", 1), f32("d", 1)];
  const { files } = planShards(tensors, { maxBytes: 16, metadata: {} });
  expect(files.map((file) => file.tensors.map(({ name }) => name))).toEqual([
    ["a"],
    ["big"],
    ["c", "d"],
  ]);
  const first = planShards(tensors.slice(1), { maxBytes: 16, metadata: {} });
  expect(first.files.map((file) => file.tensors.length)).toEqual([1, 2]);
});

test("in a file of mixed dtypes every tensor lies on a multiple of its element", () => {
  const tensors = [
    { name: "flag", dtype: "BOOL" as const, shape: [3] },
    { name: "half", dtype: "BF16" as const, shape: [3] },
    f32("whole", 3),
    { name: "long", dtype: "I64" as const, shape: [1] },
  ];
  const { files } = planShards(tensors, { maxBytes: 1000, metadata: {} });
  const names = files[0]!.tensors.map(({ name }) => name);
  expect(names).toEqual(["long", "whole", "half", "flag"]);
  for (const { name, start } of files[0]!.tensors) {
    const { dtype } = tensors.find((tensor) => tensor.name === name)!;
    expect(start % (bitsPerElement(dtype) / 8)).toBe(0);
  }
});

test("names that are special to JavaScript come through", async () => {
  const names = ["__proto__", "constructor", "10", "2", "ключ", 'quote"', "😀"];
  const { files, index } = planShards(
    names.map((name) => f32(name, 1)),
    {
      maxBytes: 16,
      metadata: { note: "from a test", format: "tf" },
    },
  );
  const found = await Promise.all(
    files.map((file) => readHeader(bytesInMemory(zeroFile(file)), file.path)),
  );
  expect(found.flatMap(({ tensors }) => tensors.map(({ name }) => name))).toEqual(names);
  expect(found[0]!.metadata).toEqual(
    new Map([
      ["note", "from a test"],
      ["format", "pt"],
    ]),
  );
  const places: object = JSON.parse(index!).weight_map;
  expect(Object.keys(places).sort()).toEqual([...names].sort());
});

test("two tensors of one name are our bug", () => {
  expect(() => planShards([f32("a"), f32("a")], { maxBytes: 9, metadata: {} })).toThrow(
    "different",
  );
});

test("whatever is planned is read back the same, aligned, and without a byte to spare", async () => {
  const tensor = fc.record({
    dtype: fc.constantFrom(...DTYPES),
    // Sub-byte dtypes need a multiple of 4 elements to fill whole bytes.
    shape: fc.array(fc.nat(5), { maxLength: 3 }).map((axes) => [...axes, 4]),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.string({ unit: "grapheme" }), { maxLength: 20 }),
      fc.array(tensor, { minLength: 20, maxLength: 20 }),
      fc.integer({ min: 1, max: 5000 }),
      async (names, facts, maxBytes) => {
        const tensors = names
          .filter((name) => name !== "__metadata__")
          .map((name, i) => ({ name, ...facts[i]! }));
        const { files } = planShards(tensors, { maxBytes, metadata: { by: "test" } });
        const seen = new Map<string, object>();
        for (const file of files) {
          const header = await readHeader(bytesInMemory(zeroFile(file)), file.path);
          expect(header.headerByteLength % 8).toBe(0);
          expect(header.headerByteLength).toBe(file.header.byteLength);
          expect(
            header.tensors
              .map(({ name, start, byteLength }) => ({ name, start, byteLength }))
              .sort(byStart),
          ).toEqual([...file.tensors].sort(byStart));
          const dataBytes = file.byteLength - file.header.byteLength;
          expect(
            dataBytes <= maxBytes || header.tensors.filter((t) => t.byteLength).length === 1,
          ).toBe(true);
          for (const { name, dtype, shape } of header.tensors)
            seen.set(name, { name, dtype, shape });
        }
        expect(tensors.map(({ name }) => seen.get(name))).toEqual(tensors);
        expect(seen.size).toBe(tensors.length);
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

/** Empty tensors share their start with the next one, so the name decides. */
function byStart(a: { start: number; name: string }, b: { start: number; name: string }): number {
  return a.start - b.start || (a.name < b.name ? -1 : 1);
}
