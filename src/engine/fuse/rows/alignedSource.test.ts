import { expect, test } from "vitest";
import type { Aligner, TokenisedText } from "../align/types.ts";
import type { Representation } from "../dataset/records.ts";
import { alignSource } from "./alignedSource.ts";

const TOKENS: TokenisedText = { ids: Uint32Array.of(7, 8, 9), ends: Uint32Array.of(1, 2, 3) };
const said: Representation = {
  tokens: TOKENS,
  positions: Uint32Array.of(0, 1, 2),
  k: 1,
  ids: Uint32Array.of(7, 8, 9),
  logits: Float32Array.of(1, 2, 3),
  logSums: Float32Array.of(4, 5, 6),
  goldNats: Float32Array.of(0.1, 0.2, 0.3),
};

test("a mixture of rows has no log-sum-exp of its own: its probabilities are not known", () => {
  const aligner: Aligner = {
    align: (_, __, { rows }) => ({
      groups: { offsets: Uint32Array.of(0, 1, 2, 3), positions: Uint32Array.of(0, 1, 2) },
      reasons: ["equal", "joined", "no match"],
      from: Int32Array.of(0, 1, -1),
      rows,
    }),
  };
  const { logSums, goldNats, from } = alignSource(aligner, said, said, {
    model: "source",
    groups: undefined,
  });
  expect([...logSums]).toEqual([4, Number.NaN, Number.NaN]);
  expect([...goldNats]).toEqual([...Float32Array.of(0.1, 0.2), Number.NaN]);
  expect([...from]).toEqual([0, 1, -1]);
});
