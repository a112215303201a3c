import { expect, test } from "vitest";
import { parseConfig } from "../../checkpoint/config.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { makeModel } from "../testModels.ts";
import { readTokenRows } from "./tokenRows.ts";

const read = (files: Readonly<Record<string, unknown>>, rows: number, config: object = {}) =>
  readTokenRows(
    {
      ...makeModel("a", {}),
      config: parseConfig(JSON.stringify(config), "config.json"),
      files: new Map(
        Object.entries(files).map(([path, value]) => [
          path,
          bytesInMemory(new TextEncoder().encode(JSON.stringify(value))),
        ]),
      ),
    },
    rows,
  );

const BPE = {
  model: { vocab: { a: 0, b: 1, c: 2 } },
  added_tokens: [{ id: 7, content: "<|im_end|>" }],
};

test.each([
  ["a vocabulary with added tokens", { "tokenizer.json": BPE }, 8],
  [
    "a unigram list",
    {
      "tokenizer.json": {
        model: {
          vocab: [
            ["a", 0],
            ["b", 0],
          ],
        },
      },
    },
    2,
  ],
  [
    "vocab.json beside added_tokens.json",
    { "vocab.json": { a: 0, b: 1 }, "added_tokens.json": { x: 4 } },
    5,
  ],
  [
    "an added_tokens_decoder",
    {
      "tokenizer.json": { model: { vocab: { a: 0 } } },
      "tokenizer_config.json": { added_tokens_decoder: { "6": {} } },
    },
    7,
  ],
  [
    "generation_config.json",
    {
      "tokenizer.json": { model: { vocab: { a: 0 } } },
      "generation_config.json": { eos_token_id: [3, 9] },
    },
    10,
  ],
])("%s says how many rows have a token", async (_, files, rows) => {
  expect(await read(files, 100)).toEqual({ rows, whole: true });
});

test("config.json alone tells ids, but not that the other rows are spare", async () => {
  expect(await read({}, 100, { eos_token_id: 41 })).toEqual({ rows: 42, whole: false });
  expect(await read({}, 100, { text_config: { image_token_index: 50 } })).toEqual({
    rows: 51,
    whole: false,
  });
  expect(await read({}, 100)).toBeNull();
});

test("an id that has no row in the model itself is nobody's loss", async () => {
  expect(await read({ "tokenizer.json": BPE }, 5)).toEqual({ rows: 3, whole: true });
  expect(await read({ "tokenizer.json": BPE }, 100, { pad_token_id: -1 })).toEqual({
    rows: 8,
    whole: true,
  });
});

test("a file that is no tokenizer tells nothing", async () => {
  expect(await read({ "tokenizer.json": [] }, 100)).toBeNull();
});
