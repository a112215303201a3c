import { Button, SegmentedControl, Select } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import type { FusedDocument, FusionCard, SourceAlignment } from "../../../engine/contract/index.ts";
import { AlignmentFlow } from "../../plots/AlignmentFlow.tsx";
import type { TokenPlace } from "../../plots/alignmentLayout.ts";
import { openDocument, openRow } from "../../stores/fusionReading.ts";
import type { Studio } from "../../stores/studio.ts";
import { memberColour } from "../../theme/colours.ts";
import { formatCount, formatPercent } from "../../theme/format.ts";
import { AlignmentTable } from "./AlignmentTable.tsx";
import { nextMatch, pivotOf, readAlignment } from "./alignedTexts.ts";
import { type Filter, fitsFilter, ReasonLegend } from "./ReasonLegend.tsx";
import { RowPanel } from "./RowPanel.tsx";

interface AlignmentPanelProps {
  readonly studio: Studio;
  readonly card: FusionCard;
  readonly document: FusedDocument;
}

/** Milliseconds that the pointer rests before a row is loaded. */
const RESTING_MS = 45;

/** First token with a row, which the distribution view starts at. */
const firstRow = ({ rowOf }: FusedDocument): TokenPlace => ({
  side: "pivot",
  index: Math.max(
    0,
    rowOf.findIndex((row) => row !== null),
  ),
});

/**
 * Panel of one document: both tokenisations, and the distributions at the token under pointer or
 * focus.
 */
export function AlignmentPanel({ studio, card, document }: AlignmentPanelProps) {
  const chosen = useStore(studio.fusion, (state) => state.source);
  const [view, setView] = useState<"picture" | "table">("picture");
  const [filter, setFilter] = useState<Filter | null>(null);
  const [active, setActive] = useState<TokenPlace>(() => firstRow(document));
  const [hovered, setHovered] = useState<TokenPlace | null>(null);
  const [said, setSaid] = useState(false);
  const pivotName = card.members[0]?.model ?? "pivot";
  const source = document.sources[chosen] ?? document.sources[0];
  const texts = useMemo(
    () => source && readAlignment(document, source, pivotName),
    [document, source, pivotName],
  );
  const lit = hovered ?? active;
  const pivot = texts ? pivotOf(texts, lit) : null;
  const row = pivot === null ? null : (document.rowOf[pivot] ?? null);
  useEffect(() => {
    if (row === null) return;
    const timer = setTimeout(() => void openRow(studio, card.id, document.index, row), RESTING_MS);
    return () => clearTimeout(timer);
  }, [studio, card.id, document.index, row]);
  const only = useCallback(
    (link: SourceAlignment["links"][number] | undefined) => fitsFilter(filter, link),
    [filter],
  );
  if (!source || !texts)
    return <p className="muted">This document has no source beside the pivot.</p>;
  const jump = (step: 1 | -1) => {
    const at = pivotOf(texts, active) ?? 0;
    const fits = (index: number) => fitsFilter(filter, source.links[index]);
    const index = nextMatch(document.pivotTokens.length, at, step, fits);
    if (index !== null) move({ side: "pivot", index });
  };
  const move = (place: TokenPlace) => {
    setActive(place);
    setHovered(null);
    setSaid(false);
  };
  return (
    <>
      <DocumentHead studio={studio} card={card} document={document} />
      <div className="alignment-tools">
        <ReasonLegend links={source.links} filter={filter} onFilter={setFilter} />
        {filter !== null && (
          <span className="row">
            <Button size="compact-sm" onClick={() => jump(-1)}>
              Previous
            </Button>
            <Button size="compact-sm" onClick={() => jump(1)}>
              Next
            </Button>
          </span>
        )}
        <span className="grow" />
        <SegmentedControl
          aria-label="Shown as"
          size="xs"
          data={[
            { value: "picture", label: "Picture" },
            { value: "table", label: "Table" },
          ]}
          value={view}
          onChange={(next) => setView(next === "table" ? "table" : "picture")}
        />
      </div>
      {view === "picture" ? (
        <AlignmentFlow
          label={`Tokens of ${pivotName} over those of ${source.model}`}
          texts={texts}
          active={active}
          lit={lit}
          only={only}
          onMove={move}
          onHover={setHovered}
          onSelect={() => setSaid(true)}
        />
      ) : (
        <AlignmentTable texts={texts} document={document} card={card} only={only} />
      )}
      <RowPanel
        studio={studio}
        card={card}
        token={pivot === null ? null : (document.pivotTokens[pivot] ?? null)}
        row={row}
        document={document.index}
        said={said}
      />
    </>
  );
}

/** Heading of a document: its coverage, the choice of source, and links to its neighbours. */
function DocumentHead({ studio, card, document }: AlignmentPanelProps) {
  const source = useStore(studio.fusion, (state) => state.source);
  const { index, dataset, domain, rows, covered, winner, sources } = document;
  const name = card.members[winner]?.model ?? "";
  const share = rows === 0 ? 0 : (covered[source] ?? 0) / rows;
  const go = (to: number) => void openDocument(studio, card.id, to);
  return (
    <div className="alignment-head">
      <h2>Alignment</h2>
      <p className="muted num">
        Text {formatCount(index + 1)} of {formatCount(card.documents)} · {domain ?? dataset} ·{" "}
        {formatCount(rows)} rows, {formatPercent(share)} covered ·{" "}
        <span className="member">
          <i className="swatch" style={{ background: memberColour(winner) }} />
          <span className="ellipsis" title={name}>
            {name}
          </span>
        </span>{" "}
        <span>teaches</span>
      </p>
      {sources.length > 1 && (
        <Select
          aria-label="Source beside the pivot"
          size="xs"
          w={200}
          leftSection={<i className="swatch" style={{ background: memberColour(source + 1) }} />}
          data={sources.map(({ model }, at) => ({ value: String(at), label: model }))}
          value={String(source)}
          allowDeselect={false}
          onChange={(next) => next !== null && studio.fusion.setState({ source: Number(next) })}
        />
      )}
      <span className="row">
        <Button
          size="compact-sm"
          aria-label="Previous text"
          disabled={index === 0}
          onClick={() => go(index - 1)}
        >
          ←
        </Button>
        <Button
          size="compact-sm"
          aria-label="Next text"
          disabled={index + 1 >= card.documents}
          onClick={() => go(index + 1)}
        >
          →
        </Button>
      </span>
    </div>
  );
}
