import { expect, test } from "vitest";
import { describeVocabulary } from "./vocabularyTable.ts";

test("a line for each model whose vocabulary differs, with counts and the first tokens", () => {
  const none = { count: 0, tokens: [] };
  const token = (text: string, id: number | null, own: number | null) => ({ token: text, id, own });
  const lines = describeVocabulary({
    from: "base",
    aligned: true,
    tokens: 9,
    models: [
      {
        model: "a",
        tokens: 8,
        lacks: { count: 600, tokens: [1, 2, 3, 4, 5].map((id) => token(`t${id}`, id, null)) },
        leftOut: none,
        moved: { count: 1, tokens: [token("x\n", 3, 7)] },
        special: [{ role: "pad", own: null, result: "<pad>" }],
      },
    ],
  });
  expect(lines).toEqual([
    'vocabulary: the result has 9 tokens, and the tokenizer of "base".',
    'vocabulary: "a" has 8 tokens: 600 tokens of the result missing ("t1", "t2", "t3", "t4", …); 1 under other ids ("x\\n" 7 → 3); pad is none and in the result <pad>.',
  ]);
  expect(describeVocabulary(null)).toEqual([]);
});
