import type { FusedDocument, SourceAlignment } from "../../../engine/contract/index.ts";
import type { AlignedTexts } from "../../plots/AlignmentLine.tsx";
import type { TokenPlace } from "../../plots/alignmentLayout.ts";
import { differsFromOffsets } from "../../plots/alignmentLinks.ts";
import { REASON_MARKS } from "../../plots/alignmentReasons.ts";
import { nameToken } from "../../theme/tokenText.ts";

/** Pivot tokens that each source token is linked to. */
function partnersOf({ tokens, links }: SourceAlignment): readonly (readonly number[])[] {
  const partners: number[][] = tokens.map(() => []);
  for (const [pivot, { group, from }] of links.entries()) {
    const own = new Set(from === null ? group : [...group, from]);
    for (const source of own) partners[source]?.push(pivot);
  }
  return partners;
}

/** A document beside one of its sources, with a label for each token. */
export function readAlignment(
  document: FusedDocument,
  source: SourceAlignment,
  pivotName: string,
): AlignedTexts {
  const { pivotTokens: pivot } = document;
  const partners = partnersOf(source);
  const sourceName = (index: number) => nameToken(source.tokens[index]?.text ?? "");
  const ofPivot = (index: number) => {
    const link = source.links[index];
    const text = `${nameToken(pivot[index]?.text ?? "")}, ${pivotName}`;
    if (!link || document.rowOf[index] == null) return `${text}: nothing is learned after it`;
    if (link.reason === null) return `${text}: the file does not say how it was aligned`;
    const group = link.group.map(sourceName).join(" ");
    const parts = [
      `${link.reason}, ${REASON_MARKS[link.reason].words}`,
      group === "" ? "no partner" : `partner ${group}`,
      ...(link.from !== null && link.group.length > 1
        ? [`the row of ${sourceName(link.from)}`]
        : []),
      ...(differsFromOffsets(link)
        ? [
            link.sameEnd === null
              ? "byte offsets have no row here"
              : `byte offsets would take ${sourceName(link.sameEnd)}`,
          ]
        : []),
    ];
    return `${text}: ${parts.join("; ")}`;
  };
  const ofSource = (index: number) => {
    const own = partners[index] ?? [];
    const names = own.map((at) => nameToken(pivot[at]?.text ?? "")).join(" ");
    return `${sourceName(index)}, ${source.model}: ${names === "" ? "no partner" : `partner ${names}`}`;
  };
  const labelOf = ({ side, index }: TokenPlace) =>
    side === "pivot" ? ofPivot(index) : ofSource(index);
  return { pivotName, pivot, rowOf: document.rowOf, source, partners, labelOf };
}

/** Pivot token whose row a place shows: itself, or the one that uses the source token's row. */
export function pivotOf(texts: AlignedTexts, { side, index }: TokenPlace): number | null {
  if (side === "pivot") return index;
  const own = texts.partners[index] ?? [];
  return own.find((pivot) => texts.source.links[pivot]?.from === index) ?? own.at(-1) ?? null;
}

/** Next pivot token that passes the filter, wrapping around; -1 searches backwards. */
export function nextMatch(
  count: number,
  from: number,
  step: 1 | -1,
  fits: (index: number) => boolean,
): number | null {
  for (let away = 1; away <= count; away++) {
    const index = (((from + step * away) % count) + count) % count;
    if (fits(index)) return index;
  }
  return null;
}
