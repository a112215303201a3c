import { memo } from "react";
import type { AlignedToken, SourceAlignment } from "../../engine/contract/index.ts";
import { nameToken } from "../theme/tokenText.ts";
import type { AlignmentBlock, TokenPlace } from "./alignmentLayout.ts";
import { type DrawnLink, differsFromOffsets } from "./alignmentLinks.ts";
import { REASON_MARKS } from "./alignmentReasons.ts";
import { tokenRoles } from "./tokenRoles.ts";

/** Heights in pixels: a token, the letter below it, the links, and the gap to the next line. */
const LINE = { token: 26, letter: 13, links: 34, gap: 22 } as const;
export const BLOCK_HEIGHT = 2 * LINE.token + LINE.letter + LINE.links + LINE.gap;

export interface AlignedTexts {
  readonly pivotName: string;
  readonly pivot: readonly AlignedToken[];
  /** Row that predicts the token after each pivot token, or null. */
  readonly rowOf: readonly (number | null)[];
  readonly source: SourceAlignment;
  /** Pivot tokens that each source token is linked to. */
  readonly partners: readonly (readonly number[])[];
  /** Label of a token, for screen readers. */
  readonly labelOf: (place: TokenPlace) => string;
}

interface LineProps {
  readonly texts: AlignedTexts;
  readonly block: AlignmentBlock;
  readonly at: number;
  readonly links: readonly DrawnLink[];
  /** Token of the tab stop, and token with highlighted links, if they are on this line. */
  readonly active: TokenPlace | null;
  readonly lit: TokenPlace | null;
  /** Whether a pivot token is highlighted. */
  readonly only: (link: SourceAlignment["links"][number] | undefined) => boolean;
}

const idOf = ({ side, index }: TokenPlace) => `${side}-${index}`;

/** A line of pivot tokens above a line of source tokens, with links between them. */
export const AlignmentLine = memo(function AlignmentLine(props: LineProps) {
  const { texts, block, at, links, active, lit, only } = props;
  const { pivot, rowOf, source, pivotName, partners } = texts;
  const isLit = (link: DrawnLink) =>
    lit !== null && (lit.side === "pivot" ? link.pivot : link.source) === lit.index;
  const near = new Set(
    links
      .filter(isLit)
      .map((link) => (lit?.side === "pivot" ? `source-${link.source}` : `pivot-${link.pivot}`)),
  );
  const box = (side: TokenPlace["side"], token: AlignmentBlock["pivot"][number]) => {
    const place = { side, index: token.index };
    const id = idOf(place);
    const link = side === "pivot" ? source.links[token.index] : undefined;
    const reason = link?.reason ?? null;
    const mark = reason && REASON_MARKS[reason];
    const linked =
      side === "pivot" ? rowOf[token.index] != null : (partners[token.index]?.length ?? 0) > 0;
    const dim = side === "pivot" && !only(link);
    const text = (side === "pivot" ? pivot : source.tokens)[token.index]?.text ?? "";
    return (
      <span
        key={id}
        {...tokenRoles.token(texts.labelOf(place), active !== null && idOf(active) === id)}
        className="atoken"
        data-token={id}
        data-tone={mark?.tone ?? (linked ? undefined : "plain")}
        // Drawn by the style sheet: the label has it in words.
        data-letter={mark && `${mark.letter}${link && differsFromOffsets(link) ? "≠" : ""}`}
        data-dim={dim || undefined}
        data-lit={(lit !== null && idOf(lit) === id) || near.has(id) || undefined}
        style={{ left: token.x, width: token.width }}
      >
        <span className="atoken-text">{nameToken(text)}</span>
      </span>
    );
  };
  return (
    <div {...tokenRoles.none} className="aline" style={{ top: at * BLOCK_HEIGHT }}>
      <div {...tokenRoles.group(`${pivotName}, line ${at + 1}`)} className="aline-pivot">
        {block.pivot.map((token) => box("pivot", token))}
      </div>
      <svg className="aline-links" aria-hidden="true" height={LINE.links}>
        {links.map((link) => (
          <path
            key={`${link.pivot} ${link.source} ${link.kind}`}
            d={pathOf(link)}
            data-kind={link.kind}
            data-lit={isLit(link) || undefined}
            data-dim={!only(source.links[link.pivot]) || undefined}
          />
        ))}
      </svg>
      <div {...tokenRoles.group(`${source.model}, line ${at + 1}`)} className="aline-source">
        {block.source.map((token) => box("source", token))}
      </div>
    </div>
  );
});

/**
 * Path from the pivot token to the source token, or half-way to the edge where that is on another
 * line.
 */
function pathOf({ from, to, away }: DrawnLink): string {
  const down = away === null ? LINE.links : LINE.links / 2;
  return `M${from} 0C${from} ${down / 2} ${to} ${down / 2} ${to} ${down}`;
}
