import type { EvaluationCell } from "../../../../engine/contract/index.ts";

/** Range of the estimates and their intervals. */
export function spanOf(cells: readonly EvaluationCell[]): {
  readonly from: number;
  readonly to: number;
} {
  const ends = cells.flatMap(({ bitsPerByte, interval }) => [
    ...(bitsPerByte === null ? [] : [bitsPerByte]),
    ...(interval ?? []),
  ]);
  return { from: Math.min(...ends), to: Math.max(...ends) };
}

/** Verdict on a difference: fewer bits are better; an interval that contains 0 is undecided. */
export function verdictOf({
  interval,
}: NonNullable<EvaluationCell["difference"]>):
  | "better"
  | "worse"
  | "not told apart"
  | "too few rows" {
  if (!interval) return "too few rows";
  const [low, high] = interval;
  if (high < 0) return "better";
  return low > 0 ? "worse" : "not told apart";
}
