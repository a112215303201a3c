import type { AlignmentReason, FusionSettings } from "../../contract/index.ts";
import { createGrouper, type Grouping } from "./grouper.ts";
import { type Choice, NO_MATCH } from "./profiles/profile.ts";
import { SparseRowsWriter } from "./sparseRowsWriter.ts";
import type {
  Aligner,
  Alignment,
  SourceRows,
  TokenisedText,
  Vocabulary,
  VocabularyMap,
} from "./types.ts";
import { dtwProfiles } from "./warper.ts";

export interface AlignerOptions {
  readonly settings: Pick<FusionSettings, "profile" | "vocabulary" | "matrix" | "fallback">;
  readonly pivot: Vocabulary;
  readonly source: Vocabulary;
  readonly map: VocabularyMap;
}

/** An aligner of one source to one pivot, by the rules of a profile. */
export function createAligner(options: AlignerOptions): Aligner {
  const { settings, pivot, source, map } = options;
  const group = createGrouper(settings.profile, pivot, source);
  const choose = openChoice(options);
  return {
    align(text, other, said, groups): Alignment {
      const grouping = groups ? { groups, partners: null } : group(text, other);
      const rows = new SparseRowsWriter();
      const from = new Int32Array(text.ids.length).fill(-1);
      const reasons = Array.from(text.ids, (id, at): AlignmentReason => {
        const { reason, positions } = choose(grouping, text, other, at);
        const kept = positions.every((position) => said.rowOf[position]! >= 0);
        if (positions.length === 0 || !kept) {
          writeFallback(rows, settings.fallback, text.ids, at);
          return kept ? reason : "not kept";
        }
        // The last of several source positions: its row predicts the token after the whole pivot
        // token.
        from[at] = positions.at(-1)!;
        const ending = endMap(options, text.ids[at + 1], other.ids[from[at]! + 1]);
        const entries = writeRow(positions, said, {
          rows,
          map: ending,
          sums: settings.profile === "studio",
          countOf: (position) => map.count(id, other.ids[position]!),
        });
        return entries > 0 ? reason : "empty";
      });
      return { groups: grouping.groups, reasons, from, rows: rows.finish() };
    },
  };
}

/**
 * Vocabulary map of a row. Where the source's next token ends the text and the pivot ends a turn
 * with a token of its own, the two are mapped to each other: the references know only one end
 * token.
 */
function endMap(
  { settings, pivot, source, map }: AlignerOptions,
  next: number | undefined,
  sourceNext: number | undefined,
): VocabularyMap {
  const isOwnEnd = sourceNext !== undefined && sourceNext === source.eosId && next !== pivot.eosId;
  if (settings.profile !== "studio" || next === undefined || !isOwnEnd) return map;
  return { ...map, target: (id) => (id === source.eosId ? next : map.target(id)) };
}

type Choose = (grouping: Grouping, text: TokenisedText, other: TokenisedText, at: number) => Choice;

function openChoice({ settings, pivot, source, map }: AlignerOptions): Choose {
  const { profile, matrix } = settings;
  const exact = settings.vocabulary === "exact";
  const sure = profile === "studio" ? "same end" : "equal";
  const judge =
    profile === "studio"
      ? () => NO_MATCH
      : dtwProfiles[profile].openChooser({ pivot, source, map, matrix, exact });
  return ({ groups, partners }, text, other, at) => {
    if (partners) {
      const partner = partners[at]!;
      return partner < 0 ? NO_MATCH : { reason: sure, positions: [partner] };
    }
    const members = groups.positions.subarray(groups.offsets[at]!, groups.offsets[at + 1]!);
    return judge({ pivot: text.ids, source: other.ids }, at, members);
  };
}

/** Writes the fallback row of a position without a source row. */
function writeFallback(
  rows: SparseRowsWriter,
  fallback: FusionSettings["fallback"],
  ids: Uint32Array,
  at: number,
): void {
  // The last position has no label: the references repeat the previous one, which is this token.
  const label = Math.min(at + 1, ids.length - 1);
  if (fallback === "pivot") rows.writeEmpty();
  else rows.writeOneHot(ids[fallback === "gold" ? label : at]!);
}

/** Writes one row, or FuseChat v1's mixture of several; returns its number of entries. */
function writeRow(
  positions: readonly number[],
  said: SourceRows,
  {
    rows,
    map,
    sums,
    countOf,
  }: {
    readonly rows: SparseRowsWriter;
    readonly map: VocabularyMap;
    /** Whether the probabilities of entries mapped to one id are added. */
    readonly sums: boolean;
    countOf(position: number): number;
  },
): number {
  const rowOf = (position: number) => said.rowOf[position]!;
  const [first] = positions;
  if (first !== undefined && positions.length === 1) {
    const row = rowOf(first);
    return sums ? rows.writeSummed(said.rows, row, map) : rows.writeMapped(said.rows, row, map);
  }
  const counts = positions.map(countOf);
  const largest = Math.max(...counts);
  const powers = counts.map((count) => Math.exp(count - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  const parts = positions.map((position, i) => ({
    row: rowOf(position),
    weight: powers[i]! / sum,
  }));
  return rows.writeWeighted(said.rows, parts, map);
}
