import type { Vocabulary } from "../types.ts";
import { remark } from "../vocabulary.ts";

/** Pivot id for each source id, or -1. */
export type Targets = Int32Array<ArrayBuffer>;

export const NO_TARGET = -1;

/** The source's strings with the pivot's space marker; "" for unused ids. */
export function remarkedPieces(pivot: Vocabulary, source: Vocabulary): readonly string[] {
  return Array.from({ length: source.size }, (_, id) => remark(source.piece(id), source, pivot));
}

/** Map of equal strings (FuseLLM, "EM"). */
export function exactTargets(pivot: Vocabulary, source: Vocabulary): Targets {
  return Int32Array.from(remarkedPieces(pivot, source), (piece) =>
    piece === "" ? NO_TARGET : (pivot.idOf(piece) ?? NO_TARGET),
  );
}
