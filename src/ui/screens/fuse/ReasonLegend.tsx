import type { AlignmentReason, SourceAlignment } from "../../../engine/contract/index.ts";
import { differsFromOffsets } from "../../plots/alignmentLinks.ts";
import { countReasons, REASON_MARKS } from "../../plots/alignmentReasons.ts";
import { formatCount } from "../../theme/format.ts";

type Link = SourceAlignment["links"][number];
/** Filter: a reason, or differences between profile and byte offsets. */
export type Filter = AlignmentReason | "differs";

/** Whether a pivot token is highlighted under the filter. */
export function fitsFilter(filter: Filter | null, link: Link | undefined): boolean {
  if (filter === null) return true;
  if (!link) return false;
  return filter === "differs" ? differsFromOffsets(link) : link.reason === filter;
}

interface ReasonLegendProps {
  readonly links: readonly Link[];
  readonly filter: Filter | null;
  readonly onFilter: (filter: Filter | null) => void;
}

/** Legend of the reasons with their counts; each is a filter button. */
export function ReasonLegend({ links, filter, onFilter }: ReasonLegendProps) {
  const differing = links.filter(differsFromOffsets).length;
  const toggle = (next: Filter) => onFilter(filter === next ? null : next);
  return (
    <fieldset className="reasons">
      <legend className="unseen">Reasons</legend>
      {countReasons(links).map(([reason, count]) => {
        const { letter, tone, words } = REASON_MARKS[reason];
        return (
          <button
            key={reason}
            type="button"
            className="reason num"
            aria-pressed={filter === reason}
            title={words}
            onClick={() => toggle(reason)}
          >
            <i data-tone={tone} aria-hidden="true">
              {letter}
            </i>
            {reason} {formatCount(count)}
          </button>
        );
      })}
      {differing > 0 && (
        <button
          type="button"
          className="reason num"
          aria-pressed={filter === "differs"}
          title="Byte offsets would have taken another row"
          onClick={() => toggle("differs")}
        >
          <i aria-hidden="true">≠</i>
          differs from byte offsets {formatCount(differing)}
        </button>
      )}
    </fieldset>
  );
}
