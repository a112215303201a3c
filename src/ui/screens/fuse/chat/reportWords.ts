import type { EvaluationCell } from "../../../../engine/contract/index.ts";

/** What the estimates and their intervals span together. */
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

/** Fewer bits are better; an interval with 0 in it tells nothing. */
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
