import { expect, test } from "vitest";
import { checkTokens } from "./languageModel.ts";

const MODEL = { vocabSize: 10, before: 3, room: 5 };

test("tokens of the vocabulary that there is room for are taken", () => {
  expect(() => checkTokens([0, 9], MODEL)).not.toThrow();
});

test.each([
  ["an id beyond the vocabulary", [0, 10], "10 is no token of this model"],
  ["an id below it", [-1], "-1 is no token"],
  ["half an id", [0.5], "0.5 is no token"],
  ["no number", [Number.NaN], "NaN is no token"],
  ["nothing", [], "no tokens to read"],
  [
    "one too many after those in the cache",
    [1, 2, 3],
    "6 tokens are more than there is room for: 5",
  ],
])("%s: refused", (_, ids, message) => {
  const act = () => checkTokens(ids, MODEL);
  expect(act).toThrow(expect.objectContaining({ code: "usage" }));
  expect(act).toThrow(message);
});
