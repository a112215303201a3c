import type { SourceAlignment } from "../../engine/contract/index.ts";
import type { AlignmentBlock, AlignmentLayout } from "./alignmentLayout.ts";

type Link = SourceAlignment["links"][number];

/** Line from a pivot token to a source token, in pixels of the block. */
export interface DrawnLink {
  readonly pivot: number;
  readonly source: number;
  readonly from: number;
  readonly to: number;
  /**
   * `row`: the source row used at the pivot position; `group`: in the same group only; `offset`:
   * the token that byte offsets would have chosen.
   */
  readonly kind: "row" | "group" | "offset";
  /** Direction of a source token on another line: the link then ends at the edge. */
  readonly away: "before" | "after" | null;
}

/** Whether the profile chose another row than the one whose text ends at the same byte. */
export function differsFromOffsets({ reason, from, sameEnd }: Link): boolean {
  return reason !== null && from !== sameEnd;
}

/** Source tokens that a pivot token is linked to, with the kind of link. */
export function linksOf(link: Link): readonly (readonly [number, DrawnLink["kind"]])[] {
  const found = new Map<number, DrawnLink["kind"]>();
  for (const source of link.group) found.set(source, "group");
  if (differsFromOffsets(link) && link.sameEnd !== null) found.set(link.sameEnd, "offset");
  if (link.from !== null) found.set(link.from, "row");
  return [...found];
}

/** Links of one block. */
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
