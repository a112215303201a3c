import { createAligner } from "../../../engine/fuse/align/aligner.ts";
import type {
  SourceRows,
  SparseRows,
  TokenisedText,
  Vocabulary,
  VocabularyMap,
} from "../../../engine/fuse/align/types.ts";
import type { Comparison } from "../compare.ts";
import { compareRows } from "./compareRows.ts";
import type { GoldenRow } from "./files.ts";
import type { Mode } from "./modes.ts";

/** Rows of the goldens in the engine's form. */
export function sparseRows(rows: readonly GoldenRow[]): SparseRows {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [at, [ids]] of rows.entries()) offsets[at + 1] = offsets[at]! + ids.length;
  return {
    offsets,
    ids: Uint32Array.from(rows.flatMap(([ids]) => ids)),
    values: Float32Array.from(rows.flatMap(([, values]) => values)),
  };
}

/** A source that kept a row for every token. */
function allRows(rows: readonly GoldenRow[]): SourceRows {
  return { rows: sparseRows(rows), rowOf: Int32Array.from(rows, (_, at) => at) };
}

/** Ids with where each token ends, by its string: near enough where no text is at hand. */
function tokenised(ids: readonly number[], vocabulary: Vocabulary): TokenisedText {
  let end = 0;
  const ends = Uint32Array.from(ids, (id) => {
    end += vocabulary.bytes(id).byteLength;
    return end;
  });
  return { ids: Uint32Array.from(ids), ends };
}

export interface Pair {
  readonly pivot: Vocabulary;
  readonly source: Vocabulary;
}

export interface TextToAlign {
  readonly pivotIds: readonly number[];
  readonly sourceIds: readonly number[];
  readonly rows: readonly GoldenRow[];
  readonly want: readonly GoldenRow[];
}

/** Aligns texts of one pair in one mode and compares the rows. */
export function runRows(
  { pivot, source }: Pair,
  mode: Mode,
  map: VocabularyMap,
  texts: readonly TextToAlign[],
): readonly Comparison[] {
  const aligner = createAligner({ settings: mode.settings, pivot, source, map });
  return texts.map(({ pivotIds, sourceIds, rows, want }) => {
    const { rows: got } = aligner.align(
      tokenised(pivotIds, pivot),
      tokenised(sourceIds, source),
      allRows(rows),
    );
    return compareRows(got, want);
  });
}
