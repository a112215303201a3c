import { expect, test } from "vitest";
import { parseShardIndex } from "./shardIndex.ts";

const parse = (text: string) => parseShardIndex(text, "model.safetensors.index.json");

test("every tensor is led to its file, whatever the metadata says", () => {
  const places = parse('{"metadata":{"total_size":"?"},"weight_map":{"a.b":"x.safetensors"}}');
  expect([...places]).toEqual([["a.b", "x.safetensors"]]);
});

test.each([
  ["no JSON", '{"weight_map":', "line 1, column 15"],
  ["no map", "{}", "weight_map"],
  ["a list", "[]", "not an index"],
  ["a number for a file", '{"weight_map":{"a":1}}', '"1"'],
  [
    "a tensor that is there twice",
    '{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}',
    "twice",
  ],
  ["a way out of the folder", '{"weight_map":{"a":"../x.safetensors"}}', "same folder"],
  ["the same with a backslash", '{"weight_map":{"a":"..\\\\x.safetensors"}}', "same folder"],
  ["a pickle", '{"weight_map":{"a":"pytorch_model-1.bin"}}', "same folder"],
])("refuses %s", (_, text, says) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: "bad-header", message: expect.stringContaining(says) }),
  );
});
