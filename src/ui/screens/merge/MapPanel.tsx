import { ActionIcon, Button, Menu } from "@mantine/core";
import { useMemo, useState } from "react";
import { useStore } from "zustand";
import { modelKeys } from "../../../engine/contract/index.ts";
import { Empty } from "../../parts/Empty.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Note } from "../../parts/Note.tsx";
import { saveBlob } from "../../parts/saveBlob.ts";
import { CellTip } from "../../plots/CellTip.tsx";
import { MapLegendRow } from "../../plots/MapLegendRow.tsx";
import { layoutMap } from "../../plots/mapLayout.ts";
import { ShareGrid } from "../../plots/ShareGrid.tsx";
import { resultName, show } from "../../stores/actions.ts";
import { COMMANDS } from "../../stores/commands.ts";
import type { Studio } from "../../stores/studio.ts";
import { MeasureLine } from "./MeasureLine.tsx";
import { drawMap, mapToCsv } from "./mapExport.ts";
import { useLegend } from "./useLegend.ts";

interface Hovered {
  readonly key: string;
  readonly place: DOMRect;
}

/** The weight map: every tensor's shares, layers × columns. */
export function MapPanel({ studio }: { readonly studio: Studio }) {
  const map = useStore(studio.forecast, (state) => state.map);
  const failure = useStore(studio.forecast, (state) => state.mapFailure);
  const count = useStore(studio.recipe, (state) => modelKeys(state.recipe).length);
  const tensor = useStore(studio.recipe, (state) => state.tensor);
  const legend = useLegend(studio);
  const measuring = useStore(studio.jobs, ({ jobs }) =>
    jobs?.some(
      ({ kind, state }) => state === "running" && (kind === "measure" || kind === "merge"),
    ),
  );
  const [hovered, setHovered] = useState<Hovered | null>(null);
  // What cannot be merged has no conclusion, whatever was measured of it before.
  const runnable = useStore(studio.forecast, (state) => state.plan?.runnable ?? true);
  const planFailure = useStore(studio.forecast, (state) => state.planFailure);
  const layout = useMemo(() => (map ? layoutMap(map, legend) : null), [map, legend]);
  const cell = map?.cells.find((entry) => entry.tensor === hovered?.key);
  const open = (key: string) => {
    setHovered(null); // the panel beside the map says it all now
    studio.recipe.look(key);
  };
  const savePicture = () => {
    if (!layout || !map) return;
    const title = (runnable && map.headline) || "Weight map";
    drawMap(layout, legend, title).toBlob(
      (blob) => blob && saveBlob(`${resultName(studio)}-weights.png`, blob),
    );
  };
  const saveTable = () => {
    if (!map) return;
    const blob = new Blob([mapToCsv(map)], { type: "text/csv" });
    saveBlob(`${resultName(studio)}-weights.csv`, blob);
  };
  return (
    <section className={measuring ? "map measuring" : "map"} aria-label="Weight map">
      <div className="map-head">
        <h2>Weight map</h2>
        <p className="grow muted">{runnable && map?.headline}</p>
        {layout && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label="Download the weight map">
                <Icon name="download" size={17} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={savePicture}>Picture (PNG)</Menu.Item>
              <Menu.Item onClick={saveTable}>Table (CSV)</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      {failure && count > 0 && failure.message === planFailure?.message && (
        <p className="muted small">No map: the plan says why.</p>
      )}
      {failure && count > 0 && failure.message !== planFailure?.message && (
        <Note tone="error" title="No map." code={failure.code} role="alert">
          {failure.message}
        </Note>
      )}
      {layout && map && count > 0 && (
        <>
          <div className="map-legend-line">
            <MapLegendRow legend={legend} map={map} />
            <MeasureLine studio={studio} map={map} />
          </div>
          <div className="map-scroll">
            <ShareGrid
              label="Merge weights by layer and matrix"
              columns={layout.columns}
              rows={layout.rows}
              selected={tensor}
              onOpen={open}
              onHover={(key, place) => setHovered(key && place ? { key, place } : null)}
            />
          </div>
          {cell && hovered && <CellTip cell={cell} legend={legend} place={hovered.place} />}
        </>
      )}
      {count === 0 && (
        <Empty title="Nothing to merge yet">
          <p>Choose two or more models of one shape in the library, or start with the samples.</p>
          <div className="row wrap empty-verbs">
            <Button onClick={() => show("library")}>Choose models</Button>
            <Button
              title={COMMANDS.stackModels.help}
              onClick={() => COMMANDS.stackModels.run(studio)}
            >
              {COMMANDS.stackModels.label}
            </Button>
            <Button variant="filled" onClick={() => COMMANDS.trySamples.run(studio)}>
              {COMMANDS.trySamples.label}
            </Button>
          </div>
        </Empty>
      )}
    </section>
  );
}
