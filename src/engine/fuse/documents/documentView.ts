import type { FusedDocument, FusedDocumentCard, SourceAlignment } from "../../contract/index.ts";
import { alignOffsets } from "../align/offsets.ts";
import type { AlignedSource, FusedRecord } from "../dataset/records.ts";
import { textOf, winnersOf } from "./documentSummary.ts";
import { alignedTokens } from "./textRanges.ts";

type NameOf = (id: number) => string;

/**
 * A document for the alignment view; `names` gives the text of the pivot's and the sources' tokens.
 */
export function viewDocument(
  record: FusedRecord,
  card: FusedDocumentCard,
  names: readonly NameOf[],
): FusedDocument {
  const text = textOf(record).toWellFormed();
  const { tokens, positions } = record.pivot;
  const rowOf: (number | null)[] = Array.from(tokens.ids, () => null);
  for (const [row, position] of positions.entries()) rowOf[position] = row;
  return {
    ...card,
    text,
    rowOf,
    winners: winnersOf(record),
    pivotTokens: alignedTokens(text, tokens, names[0] as NameOf),
    sources: record.sources.map((source, i) =>
      viewSource(source, { text, rowOf, ends: tokens.ends, nameOf: names[i + 1] as NameOf }),
    ),
  };
}

function viewSource(
  source: AlignedSource,
  pivot: {
    readonly text: string;
    readonly rowOf: readonly (number | null)[];
    readonly ends: Uint32Array;
    readonly nameOf: NameOf;
  },
): SourceAlignment {
  const { model, tokens, groups, reasons, from } = source;
  const { sameEnd } = alignOffsets(pivot.ends, tokens.ends);
  return {
    model,
    tokens: alignedTokens(pivot.text, tokens, pivot.nameOf),
    links: pivot.rowOf.map((row, position) => ({
      group: [...groups.positions.subarray(groups.offsets[position], groups.offsets[position + 1])],
      from: row === null || from[row] === -1 ? null : (from[row] as number),
      reason: row === null ? null : (reasons[position] ?? null),
      sameEnd: sameEnd[position] === -1 ? null : (sameEnd[position] as number),
    })),
  };
}
