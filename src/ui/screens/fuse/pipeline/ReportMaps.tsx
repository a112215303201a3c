import { Button, Select } from "@mantine/core";
import { useMemo, useState } from "react";
import type { PipelineReport } from "../../../../engine/contract/index.ts";
import { Section } from "../../../parts/Section.tsx";
import { CellTip } from "../../../plots/CellTip.tsx";
import { MapLegendRow } from "../../../plots/MapLegendRow.tsx";
import { describeCell, layoutMap } from "../../../plots/mapLayout.ts";
import { ShareGrid } from "../../../plots/ShareGrid.tsx";
import { mapLegend } from "../../../stores/mapLegend.ts";
import { openMerge } from "../../../stores/pipelineResults.ts";
import type { Studio } from "../../../stores/studio.ts";

interface ReportMapsProps {
  readonly studio: Studio;
  readonly report: PipelineReport;
}

interface Hovered {
  readonly key: string;
  readonly place: DOMRect;
}

/** Weight map of one merge at a time, by default VaRM's finest granularity. */
export function ReportMaps({ studio, report: { maps, models } }: ReportMapsProps) {
  const [chosen, choose] = useState<string | null>(null);
  const [hovered, setHovered] = useState<Hovered | null>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const told =
    maps.find(({ merge }) => merge === chosen) ??
    maps.find(({ merge }) => merge.endsWith("varm-matrix")) ??
    maps[0];
  const map = told?.map;
  const base = models[0]?.name ?? null;
  // The pivot's name does not count for the targets' common prefix.
  const legend = useMemo(() => ({ ...mapLegend(map?.models ?? [], null), base }), [map, base]);
  const layout = useMemo(() => (map ? layoutMap(map, legend) : null), [map, legend]);
  if (!told || !map || !layout) return null;
  const recipe = models.find(({ name }) => name === told.merge)?.about ?? null;
  const find = (key: string | undefined) => map.cells.find(({ tensor }) => tensor === key);
  const cell = find(hovered?.key);
  const open = find(opened ?? undefined);
  return (
    <Section
      title="Weight maps"
      aside={
        recipe !== null && (
          <Button size="compact-xs" onClick={() => void openMerge(studio, recipe)}>
            Open in Merge
          </Button>
        )
      }
    >
      <div className="chat-map-head">
        <Select
          className="chat-map-name"
          size="xs"
          aria-label="Weight map of"
          data={maps.map(({ merge }) => merge)}
          value={told.merge}
          allowDeselect={false}
          onChange={choose}
        />
        <MapLegendRow legend={legend} map={map} />
      </div>
      {map.headline && <p className="small muted chat-lead">{map.headline}</p>}
      <div className="chat-map">
        <ShareGrid
          label={`Weights of ${told.merge} by layer and matrix`}
          columns={layout.columns}
          rows={layout.rows}
          selected={opened}
          onOpen={setOpened}
          onHover={(key, place) => setHovered(key && place ? { key, place } : null)}
        />
      </div>
      <p className="small muted num" role="status">
        {open && describeCell(open, legend)}
      </p>
      {cell && hovered && <CellTip cell={cell} legend={legend} place={hovered.place} />}
    </Section>
  );
}
