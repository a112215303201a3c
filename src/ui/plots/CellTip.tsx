import type { WeightCell } from "../../engine/contract/index.ts";
import { formatPercent, formatShape } from "../theme/format.ts";
import { type MapLegend, placeName } from "./mapLayout.ts";
import { ShareBars } from "./ShareBars.tsx";
import { barsOf } from "./shareRows.ts";
import { Tip } from "./Tip.tsx";

interface CellTipProps {
  readonly cell: WeightCell;
  readonly legend: MapLegend;
  readonly place: DOMRect;
}

/** Tooltip with the numbers of a cell, which the cell's own label has as well. */
export function CellTip({ cell, legend, place }: CellTipProps) {
  return (
    <Tip place={place}>
      <div className="row spread">
        <b className="ellipsis">{placeName(cell)}</b>
        <span className="small faint num">{formatShape(cell.shape)}</span>
      </div>
      {cell.shares && cell.merged && <ShareBars bars={barsOf(cell, legend)} />}
      {!cell.merged && <p className="small muted">Copied, not merged.</p>}
      {cell.merged && !cell.shares && <p className="small muted">Not measured yet.</p>}
      {cell.change && (
        <p className="small muted num">
          Δ{" "}
          {cell.change
            .map((change, index) => `${legend.names[index]} ${formatPercent(change)}`)
            .join(" · ")}
        </p>
      )}
      {cell.locked && <p className="small muted">Locked by the recipe.</p>}
    </Tip>
  );
}
