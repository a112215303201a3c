import { expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { makeModel } from "../testModels.ts";
import { compareVocabularies } from "./planVocabulary.ts";

function withTokenizer(name: string, tokenizer: unknown): Checkpoint {
  const text = typeof tokenizer === "string" ? tokenizer : JSON.stringify(tokenizer);
  const source = bytesInMemory(new TextEncoder().encode(text));
  return { ...makeModel(name, {}), files: new Map([["tokenizer.json", source]]) };
}
const bpe = (vocab: Record<string, number>, more: object = {}) => ({ model: { vocab }, ...more });
const BASE = withTokenizer("base", bpe({ a: 0, b: 1, c: 2 }));
const comparing = async (models: readonly Checkpoint[]) =>
  (await compareVocabularies(new Map(models.map((each) => [each.name, each])))).findings;
const compare = async (tokenizer: unknown) =>
  (await comparing([BASE, withTokenizer("other", tokenizer)])).map(({ message }) => message);

test.each([
  ["the same file", bpe({ a: 0, b: 1, c: 2 })],
  ["the same ids in another order", bpe({ c: 2, b: 1, a: 0 }, { version: "1.0" })],
  [
    "the same ids as a list",
    {
      model: {
        vocab: [
          ["a", 0],
          ["b", -1],
          ["c", -2],
        ],
      },
    },
  ],
  [
    "the same ids, one of them added",
    bpe({ a: 0, b: 1 }, { added_tokens: [{ id: 2, content: "c" }] }),
  ],
  ["no JSON", "{"],
  ["no vocabulary", { model: {} }],
])("%s is no difference", async (_, tokenizer) => {
  expect(await compare(tokenizer)).toEqual([]);
});

test.each([
  [
    "ids that moved",
    bpe({ a: 0, b: 2, c: 1 }),
    '2 tokens have other ids ("b" is 2 there and 1 in "base")',
  ],
  ["a token more", bpe({ a: 0, b: 1, c: 2, d: 3 }), '1 tokens are not in "base"'],
  ["a token less", bpe({ a: 0, b: 1 }), '1 tokens are only in "base"'],
])("%s are told", async (_, tokenizer, words) => {
  const [message] = await compare(tokenizer);
  expect(message).toContain(words);
});

test("models without a tokenizer are not compared", async () => {
  const none = makeModel("none", {});
  expect(await comparing([none, BASE])).toEqual([]);
  expect(await comparing([BASE, none])).toEqual([]);
  expect(await comparing([])).toEqual([]);
});
