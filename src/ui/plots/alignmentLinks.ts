import type { SourceAlignment } from "../../engine/contract/index.ts";
import type { AlignmentBlock, AlignmentLayout } from "./alignmentLayout.ts";

type Link = SourceAlignment["links"][number];

/** A line from a pivot's token to a source's, in pixels of the block. */
export interface DrawnLink {
  readonly pivot: number;
  readonly source: number;
  readonly from: number;
  readonly to: number;
  /**
   * `row`: the source's row stands at the pivot's position; `group`: it belongs to the group only;
   * `offset`: byte offsets would have taken this one.
   */
  readonly kind: "row" | "group" | "offset";
  /** Where the source's token is on another line: the end lies at the edge. */
  readonly away: "before" | "after" | null;
}

/** True where the profile took another row than the one whose text ends at the same byte. */
export function differsFromOffsets({ reason, from, sameEnd }: Link): boolean {
  return reason !== null && from !== sameEnd;
}

/** The source's tokens that a pivot's token is linked to, and how. */
export function linksOf(link: Link): readonly (readonly [number, DrawnLink["kind"]])[] {
  const found = new Map<number, DrawnLink["kind"]>();
  for (const source of link.group) found.set(source, "group");
  if (differsFromOffsets(link) && link.sameEnd !== null) found.set(link.sameEnd, "offset");
  if (link.from !== null) found.set(link.from, "row");
  return [...found];
}

/** The lines of one block. */
export function drawLinks(
  block: AlignmentBlock,
  at: number,
  layout: AlignmentLayout,
  links: readonly Link[],
  width: number,
): readonly DrawnLink[] {
  const middles = new Map(block.source.map(({ index, x, width: own }) => [index, x + own / 2]));
  return block.pivot.flatMap(({ index, x, width: own }) => {
    const link = links[index];
    if (!link) return [];
    return linksOf(link).map(([source, kind]): DrawnLink => {
      const to = middles.get(source);
      const line = { pivot: index, source, from: x + own / 2, kind };
      if (to !== undefined) return { ...line, to, away: null };
      const before = (layout.blockOf.source[source] ?? 0) < at;
      return { ...line, to: before ? 0 : width, away: before ? "before" : "after" };
    });
  });
}
