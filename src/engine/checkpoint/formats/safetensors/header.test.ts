import { expect, test } from "vitest";
import { EngineError } from "../../../contract/index.ts";
import { bytesInMemory } from "../../../core/bytes.ts";
import { MAX_HEADER_BYTES, readHeader } from "./header.ts";

/** A file of a header text, as it stands, and zeros. */
function file(json: string, dataBytes: number, statedLength?: number): Uint8Array {
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + text.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(statedLength ?? text.byteLength), true);
  bytes.set(text, 8);
  return bytes;
}

const read = (bytes: Uint8Array) => readHeader(bytesInMemory(bytes), "m.safetensors");

async function refusal(bytes: Uint8Array): Promise<EngineError> {
  const error = await read(bytes).catch((caught: unknown) => caught);
  if (!(error instanceof EngineError)) throw new Error(`expected a refusal, got ${String(error)}`);
  return error;
}

const tensor = (dtype: string, shape: unknown, offsets: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

test("tensors come in the order of their bytes, with absolute starts", async () => {
  const json = `{"b":${tensor("BF16", [2], [8, 12])},"a":${tensor("F32", [1, 2], [0, 8])},"__metadata__":{"format":"pt"}}`;
  const { tensors, metadata, headerByteLength } = await read(file(json, 12));
  expect(headerByteLength).toBe(8 + json.length);
  expect([...metadata]).toEqual([["format", "pt"]]);
  expect(tensors).toEqual([
    {
      name: "a",
      dtype: "F32",
      shape: [1, 2],
      elementCount: 2,
      start: headerByteLength,
      byteLength: 8,
    },
    {
      name: "b",
      dtype: "BF16",
      shape: [2],
      elementCount: 2,
      start: headerByteLength + 8,
      byteLength: 4,
    },
  ]);
});

test("a tensor called __proto__ is a tensor and nothing else", async () => {
  const json = `{"__proto__":${tensor("U8", [1], [0, 1])},"constructor":${tensor("U8", [1], [1, 2])},"__metadata__":{"__proto__":"x"}}`;
  const { tensors, metadata } = await read(file(json, 2));
  expect(tensors.map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
  expect(metadata.get("__proto__")).toBe("x");
  expect(({} as { dtype?: string }).dtype).toBeUndefined();
});

test.each([
  ["an unknown dtype", `{"w":${tensor("F12", [1], [0, 1])}}`, 1, "bad-dtype", "F12"],
  [
    "a dtype that is an object",
    `{"w":{"dtype":{"toString":1},"shape":[],"data_offsets":[0,1]}}`,
    1,
    "bad-dtype",
    "toString",
  ],
  ["no dtype", `{"w":{"shape":[1],"data_offsets":[0,1]}}`, 1, "bad-dtype", "none"],
  ["a negative axis", `{"w":${tensor("U8", [-1], [0, 1])}}`, 1, "bad-shape", "-1"],
  ["a fractional axis", `{"w":${tensor("U8", [1.5], [0, 1])}}`, 1, "bad-shape", "1.5"],
  [
    "a shape that is no list",
    `{"w":${tensor("U8", "1", [0, 1])}}`,
    1,
    "bad-shape",
    "m.safetensors",
  ],
  [
    "a product over 2^53",
    `{"w":${tensor("U8", [2 ** 30, 2 ** 30], [0, 1])}}`,
    1,
    "bad-shape",
    "more elements",
  ],
  ["half a byte", `{"w":${tensor("F4", [3], [0, 2])}}`, 2, "bad-shape", "3 elements of 4 bits"],
  [
    "a shape larger than its offsets",
    `{"w":${tensor("F32", [2], [0, 4])}}`,
    4,
    "bad-shape",
    "8 bytes",
  ],
  [
    "offsets that run backwards",
    `{"w":${tensor("U8", [1], [1, 0])}}`,
    1,
    "bad-offsets",
    "begins at 1",
  ],
  ["one offset", `{"w":${tensor("U8", [1], [0])}}`, 1, "bad-offsets", "[0]"],
  [
    "an overlap",
    `{"a":${tensor("U8", [2], [0, 2])},"b":${tensor("U8", [2], [1, 3])}}`,
    3,
    "bad-offsets",
    "overlaps",
  ],
  [
    "a hole",
    `{"a":${tensor("U8", [1], [0, 1])},"b":${tensor("U8", [1], [3, 4])}}`,
    4,
    "bad-offsets",
    "leaves 2 bytes",
  ],
  [
    "a hole before the first",
    `{"a":${tensor("U8", [1], [1, 2])}}`,
    2,
    "bad-offsets",
    "leaves 1 bytes",
  ],
  [
    "bytes after the last",
    `{"a":${tensor("U8", [1], [0, 1])}}`,
    2,
    "bad-offsets",
    "1 bytes belong to nobody",
  ],
  ["bytes after nothing", "{}", 1, "bad-offsets", "belong to nobody"],
  ["a file that ends early", `{"a":${tensor("U8", [9], [0, 9])}}`, 8, "truncated", "has"],
  [
    "a name that is there twice",
    `{"a":${tensor("U8", [1], [0, 1])},"\\u0061":${tensor("U8", [1], [0, 1])}}`,
    1,
    "bad-header",
    "twice",
  ],
  [
    "a key of a tensor that is there twice",
    `{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}`,
    1,
    "bad-header",
    "twice",
  ],
  ["a tensor that is a number", `{"a":1}`, 0, "bad-header", '"a"'],
  ["a list", "[]", 0, "bad-header", "not an object"],
  ["metadata that is no object", `{"__metadata__":[]}`, 0, "bad-header", "__metadata__"],
  ["metadata with a number", `{"__metadata__":{"step":1}}`, 0, "bad-header", '"step"'],
  [
    "a name that is half a character",
    `{"\\ud800":${tensor("U8", [1], [0, 1])}}`,
    1,
    "bad-header",
    "Unicode",
  ],
  ["a byte order mark", `\ufeff{}`, 0, "bad-header", "line 1, column 1"],
  ["a trailing comma", `{"a":1,}`, 0, "bad-header", "column 8"],
  ["endless brackets", "[".repeat(200_000), 0, "bad-header", "16 levels"],
])("refuses %s", async (_, json, dataBytes, code, says) => {
  const { code: given, message, details } = await refusal(file(json, dataBytes));
  expect({ given, message }).toEqual({ given: code, message: expect.stringContaining(says) });
  expect(details).toHaveProperty("file", "m.safetensors");
  expect(message).toContain("m.safetensors");
});

test("the stated length of the header may reach the file's end and the format's bound, not more", async () => {
  expect((await read(file("{}", 0))).tensors).toEqual([]);
  expect((await refusal(file("{}", 0, 3))).code).toBe("truncated");
  expect((await refusal(file("{}", 0, MAX_HEADER_BYTES))).code).toBe("truncated");
  expect((await refusal(file("{}", 0, MAX_HEADER_BYTES + 1))).code).toBe("bad-header");
  expect((await refusal(file("{}", 0, 2 ** 53))).code).toBe("bad-header");
  expect((await refusal(new Uint8Array(7))).code).toBe("truncated");
});

test("a name that is not UTF-8 is refused, not repaired", async () => {
  const bytes = file(`{"w~":${tensor("U8", [1], [0, 1])}}`, 1);
  bytes[bytes.indexOf(0x7e)] = 0xff;
  const { code, message } = await refusal(bytes);
  expect({ code, message }).toEqual({
    code: "bad-header",
    message: expect.stringContaining("UTF-8"),
  });
});

test("a message stays short whatever a name's length", async () => {
  const json = `{"${"n".repeat(5000)}":${tensor("F12", [1], [0, 1])}}`;
  expect((await refusal(file(json, 1))).message.length).toBeLessThan(400);
});

test.each(["null", "{}"])("metadata may be %s", async (metadata) => {
  const json = `{"__metadata__":${metadata},"a":${tensor("U8", [1], [0, 1])}}`;
  const header = await read(file(json, 1));
  expect([header.tensors.length, header.metadata.size]).toEqual([1, 0]);
});
