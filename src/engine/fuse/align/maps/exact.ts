import type { Vocabulary } from "../types.ts";
import { remark } from "../vocabulary.ts";

/** For each id of a source the pivot's id that stands for it, or -1. */
export type Targets = Int32Array<ArrayBuffer>;

export const NO_TARGET = -1;

/** All of a source's strings as the pivot would write them; "" where there is no such id. */
export function remarkedPieces(pivot: Vocabulary, source: Vocabulary): readonly string[] {
  return Array.from({ length: source.size }, (_, id) => remark(source.piece(id), source, pivot));
}

/** Equal strings (FuseLLM, "EM"). */
export function exactTargets(pivot: Vocabulary, source: Vocabulary): Targets {
  return Int32Array.from(remarkedPieces(pivot, source), (piece) =>
    piece === "" ? NO_TARGET : (pivot.idOf(piece) ?? NO_TARGET),
  );
}
