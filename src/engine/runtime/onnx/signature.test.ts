import type { InferenceSession } from "onnxruntime-web";
import { expect, test } from "vitest";
import { readSignature } from "./signature.ts";

type Metadata = InferenceSession.ValueMetadata;
type Side = number | string;

const tensor = (name: string, type: string, shape: readonly Side[]): Metadata =>
  ({ name, isTensor: true, type, shape }) as Metadata;
const IDS = ["input_ids", "attention_mask", "position_ids"].map((name) =>
  tensor(name, "int64", ["batch", "sequence"]),
);
const PAST = ["key", "value"].map((part) =>
  tensor(`past_key_values.0.${part}`, "float16", ["batch", 2, "past", 8]),
);
const PRESENT = ["key", "value"].map((part) => tensor(`present.0.${part}`, "float16", []));
const LOGITS = tensor("logits", "float32", []);
const read = (inputMetadata: readonly Metadata[], outputMetadata: readonly Metadata[]) =>
  readSignature({ inputMetadata, outputMetadata }, "m");

test("a decoder with a cache tells its ids, heads and dtypes", () => {
  const { ids, past } = read([...IDS, ...PAST], [LOGITS, ...PRESENT]);
  expect([...ids]).toEqual(IDS.map(({ name }) => [name, "int64"]));
  const shape = { dtype: "float16", heads: 2, headDim: 8 };
  expect(past).toEqual([
    { input: "past_key_values.0.key", output: "present.0.key", ...shape },
    { input: "past_key_values.0.value", output: "present.0.value", ...shape },
  ]);
});

test("a decoder that takes nothing but 32-bit input_ids is one, too", () => {
  const { ids, past } = read([tensor("input_ids", "int32", [1, "n"])], [LOGITS]);
  expect([[...ids], past]).toEqual([[["input_ids", "int32"]], []]);
});

test("a merged decoder is one that has to be told whether there is a past", () => {
  const branch = tensor("use_cache_branch", "bool", [1]);
  expect(read([...IDS, ...PAST, branch], [LOGITS, ...PRESENT])).toMatchObject({ branches: true });
  expect(read([...IDS, ...PAST], [LOGITS, ...PRESENT])).toMatchObject({ branches: false });
});

const with1 = (...more: readonly Metadata[]) => [...IDS, ...more];
test.each<readonly [string, readonly Metadata[], readonly Metadata[], RegExp]>([
  [
    "an encoder",
    IDS,
    [tensor("last_hidden_state", "float32", [])],
    /gives last_hidden_state, not logits/,
  ],
  [
    "an image model",
    [tensor("pixel_values", "float32", [1, 3, 8, 8])],
    [LOGITS],
    /takes "pixel_values"/,
  ],
  [
    "a branch chosen by a float",
    with1(tensor("use_cache_branch", "float32", [1])),
    [LOGITS],
    /use_cache_branch as float32/,
  ],
  ["a model without ids", IDS.slice(1), [LOGITS], /does not take input_ids/],
  ["ids as floats", [tensor("input_ids", "float32", [])], [LOGITS], /input_ids as float32/],
  ["a fixed length", [tensor("input_ids", "int64", [1, 128])], [LOGITS], /fixed shape \[1, 128\]/],
  ["a cache that does not come out", with1(...PAST), [LOGITS], /does not give present\.0\.key/],
  [
    "unknown heads",
    with1(tensor("past_key_values.0.key", "float32", ["b", "h", "p", 8])),
    [LOGITS, ...PRESENT],
    /of the shape \[b, h, p, 8\]/,
  ],
  [
    "huge heads",
    with1(tensor("past_key_values.0.key", "float32", ["b", 2 ** 17, "p", 8])),
    [LOGITS, ...PRESENT],
    /131072/,
  ],
  ["logits in bytes", IDS, [tensor("logits", "uint8", [])], /logits as uint8/],
  ["a sequence", with1({ name: "s", isTensor: false }), [LOGITS], /"s", which is no tensor/],
])("%s is refused by name", (_, inputs, outputs, message) => {
  expect(() => read(inputs, outputs)).toThrow(message);
});
