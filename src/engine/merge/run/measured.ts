import type { Cut, Facts } from "../method.ts";

/** Sums by rule in shaders/reduce, by tensor: the rule's rows. */
export type FactTable = ReadonlyMap<string, ReadonlyMap<string, readonly Facts[]>>;

/** Thresholds by rule in shaders/score, by tensor: per model, for each of its fractions. */
export type CutTable = ReadonlyMap<string, ReadonlyMap<string, readonly (readonly Cut[])[]>>;

/** What was found out about a merge's tensors. */
export interface Measured {
  readonly facts: FactTable;
  readonly cuts: CutTable;
}

export const NOTHING_MEASURED: Measured = { facts: new Map(), cuts: new Map() };

/** A copy of a table to write into. */
export function copyTable<T>(
  table: ReadonlyMap<string, ReadonlyMap<string, T>>,
): Map<string, Map<string, T>> {
  return new Map([...table].map(([rule, tensors]) => [rule, new Map(tensors)]));
}

/** Notes what a rule found about a tensor. */
export function note<T>(
  table: Map<string, Map<string, T>>,
  rule: string,
  tensor: string,
  found: T,
): void {
  table.set(rule, (table.get(rule) ?? new Map<string, T>()).set(tensor, found));
}
