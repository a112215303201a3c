import { expect, test } from "vitest";
import { FUSION_DEFAULTS } from "../../../engine/contract/index.ts";
import { fakeRow } from "../../stores/fakeFusion.ts";
import { rowWords, winningMargin } from "./rowWords.ts";

const plain = (words: readonly string[]) => words.map((one) => one.replaceAll("\u00a0", " "));

test("a row says what follows, who teaches and by how much, and what lies outside", () => {
  expect(plain(rowWords(fakeRow(0, 0), FUSION_DEFAULTS.studio))).toEqual([
    "The text goes on with “ing”: ember gives it 20 %, flint gives it 50 %.",
    "flint teaches in this text, by 0.200 nats per byte.",
    "40 % of the fused row lies outside its 2 entries.",
  ]);
  const average = {
    ...FUSION_DEFAULTS.studio,
    fusion: "avgce",
    level: "token",
    metric: "token",
  } as const;
  expect(plain(rowWords(fakeRow(0, 0), average))[1]).toBe(
    "flint weighs most here, 100 % of the row, by 0.200 nats per token.",
  );
});

test("without another metric there is no margin, and a draw is said to be one", () => {
  const row = fakeRow(0, 0);
  const metrics = (...all: readonly (number | null)[]) => ({
    ...row,
    members: row.members.map((member, at) => ({ ...member, metric: all[at] ?? null })),
  });
  expect(winningMargin(metrics(null, 1.4))).toBeNull();
  expect(rowWords(metrics(1.4, 1.4), FUSION_DEFAULTS.studio)[1]).toContain("level with the next");
});
