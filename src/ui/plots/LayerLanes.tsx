import { useState } from "react";
import { inkOn } from "../theme/colours.ts";
import { gridRoles } from "./gridRoles.ts";
import { describeBar, type LayerBar, type LayerLane, type LayerPicture } from "./layerLanes.ts";
import { MiddleName } from "./MiddleName.tsx";
import { Tip } from "./Tip.tsx";
import { ticks } from "./ticks.ts";
import { useGrid } from "./useGrid.ts";
import "./lanes.css";

interface LayerLanesProps {
  readonly label: string;
  readonly picture: LayerPicture;
  /** Called with the index of a slice. */
  readonly onOpen: (slice: number) => void;
}

interface Hovered {
  readonly key: string;
  readonly place: DOMRect;
}

const percent = (part: number, whole: number) => `${(100 * part) / whole}%`;

/** Layers of a result as bars, one lane a model: an ARIA grid with arrow keys and Enter. */
export function LayerLanes({ label, picture, onOpen }: LayerLanesProps) {
  const { layers, lanes } = picture;
  const [hovered, setHovered] = useState<Hovered | null>(null);
  const cells = lanes.flatMap((lane) => lane.cells.map((bar) => ({ lane, bar })));
  const find = (key: string | undefined) => cells.find(({ bar }) => bar.key === key);
  const { root, active, listeners } = useGrid({
    rows: lanes,
    selected: null,
    onOpen: (key) => {
      setHovered(null);
      onOpen(find(key)?.bar.slice ?? 0);
    },
    onHover: (key, place) => setHovered(key && place ? { key, place } : null),
  });
  const shown = find(hovered?.key);
  return (
    <div className="lanes">
      <div
        ref={root}
        className="lanes-grid"
        {...gridRoles.grid(label, lanes.length, (layers ?? 1) + 1)}
        {...listeners}
      >
        {lanes.map((lane, index) => (
          <Lane key={lane.key} lane={lane} index={index} layers={layers ?? 1} active={active} />
        ))}
      </div>
      {layers !== null && <Axis layers={layers} />}
      {shown && hovered && (
        <Tip place={hovered.place}>
          <BarWords {...shown} />
        </Tip>
      )}
    </div>
  );
}

interface LaneProps {
  readonly lane: LayerLane;
  readonly index: number;
  readonly layers: number;
  readonly active: string | null;
}

function Lane({ lane, index, layers, active }: LaneProps) {
  const { key, name, colour, cells } = lane;
  return (
    <div {...gridRoles.row(index + 1)} className="lane">
      <span {...gridRoles.rowHeader} className="lane-name" title={key}>
        <i className="swatch" style={{ background: colour }} />
        <MiddleName name={name} />
      </span>
      <div className="lane-track" role="presentation">
        {cells.map((bar) => (
          <div
            key={bar.key}
            {...gridRoles.cell(describeBar(lane, bar), bar.column + 2, bar.span, false)}
            className="lane-bar mono"
            data-cell={bar.key}
            data-long={bar.range.length > 3 || undefined}
            tabIndex={bar.key === active ? 0 : -1}
            style={{
              left: percent(bar.column, layers),
              width: percent(bar.span, layers),
              background: colour,
              color: inkOn(colour),
            }}
          >
            <span>{bar.range}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

function BarWords({ lane, bar }: { readonly lane: LayerLane; readonly bar: LayerBar }) {
  return (
    <>
      <b className="lanes-whole">{lane.key}</b>
      <p className="num">{bar.range === "all layers" ? "All layers" : `Layers ${bar.range}`}</p>
      {bar.place !== "all" && <p className="muted num">Layers {bar.place} of the result</p>}
      {bar.others.length > 0 && (
        <p className="muted lanes-whole">Merged with {bar.others.join(", ")}</p>
      )}
    </>
  );
}

/** Numbers of the result's layers, each under the left edge of its layer. */
function Axis({ layers }: { readonly layers: number }) {
  // The total stands at the end of the line.
  const marks = ticks(0, layers).filter((mark) => Number.isInteger(mark) && mark < 0.8 * layers);
  return (
    <div className="lanes-axis num" aria-hidden="true">
      <span className="lanes-axis-name">layer</span>
      <div>
        {marks.map((mark) => (
          <span key={mark} style={{ left: percent(mark, layers) }}>
            {mark}
          </span>
        ))}
        <span className="lanes-axis-end">{layers} in all</span>
      </div>
    </div>
  );
}
