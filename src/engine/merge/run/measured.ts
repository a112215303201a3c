import type { Cut, Facts } from "../method.ts";

/** Rows of sums by reduce rule and tensor. */
export type FactTable = ReadonlyMap<string, ReadonlyMap<string, readonly Facts[]>>;

/** Cuts by score rule and tensor: for each model, one for each of its counts. */
export type CutTable = ReadonlyMap<string, ReadonlyMap<string, readonly (readonly Cut[])[]>>;

/** Measurements of a merge's tensors. */
export interface Measured {
  readonly facts: FactTable;
  readonly cuts: CutTable;
}

export const NOTHING_MEASURED: Measured = { facts: new Map(), cuts: new Map() };

/** Copy of a table that can be written to. */
export function copyTable<T>(
  table: ReadonlyMap<string, ReadonlyMap<string, T>>,
): Map<string, Map<string, T>> {
  return new Map([...table].map(([rule, tensors]) => [rule, new Map(tensors)]));
}

/** Adds a rule's result for a tensor. */
export function note<T>(
  table: Map<string, Map<string, T>>,
  rule: string,
  tensor: string,
  found: T,
): void {
  table.set(rule, (table.get(rule) ?? new Map<string, T>()).set(tensor, found));
}
