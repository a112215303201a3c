import { Button } from "@mantine/core";
import { Fragment, useState } from "react";
import { useStore } from "zustand";
import type { WeightCell } from "../../../engine/contract/index.ts";
import { Icon } from "../../parts/Icon.tsx";
import { Section } from "../../parts/Section.tsx";
import { placeName } from "../../plots/mapLayout.ts";
import { ShareBars } from "../../plots/ShareBars.tsx";
import { barsOf } from "../../plots/shareRows.ts";
import { overrideShares, releaseShares } from "../../stores/override.ts";
import { keepsNumbers } from "../../stores/recipeLists.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatCount, formatPercent, formatShape } from "../../theme/format.ts";
import { OverrideEditor } from "./OverrideEditor.tsx";
import { TensorNumbers } from "./TensorNumbers.tsx";
import { useLegend } from "./useLegend.ts";

/** The cell that is looked at: its numbers, and a way to decide them by hand. */
export function CellPanel({ studio }: { readonly studio: Studio }) {
  const tensor = useStore(studio.recipe, (state) => state.tensor);
  const numbered = useStore(studio.recipe, (state) => keepsNumbers(state.recipe));
  const cell = useStore(studio.forecast, (state) =>
    state.map?.cells.find((entry) => entry.tensor === tensor),
  );
  if (!cell) {
    return (
      <Section title="Tensor">
        <p className="small muted">Choose a cell of the map to see its numbers.</p>
      </Section>
    );
  }
  return (
    <>
      <CellShares key={cell.tensor} studio={studio} cell={cell} />
      {numbered && <TensorNumbers key={`${cell.tensor} numbers`} studio={studio} cell={cell} />}
    </>
  );
}

function CellShares({ studio, cell }: { readonly studio: Studio; readonly cell: WeightCell }) {
  const legend = useLegend(studio);
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const methods = useStore(studio.environment, (state) => state.methods);
  const [editing, setEditing] = useState(false);
  const named = methods.find(({ id }) => id === recipe.method)?.override ?? null;
  // A filter means a model's own tensor, which a slice may number otherwise.
  const override = keepsNumbers(recipe) ? named : null;
  const { shares } = cell;
  const state = (values: readonly number[]) => {
    if (override) studio.recipe.edit(overrideShares(recipe, override, cell.tensor, values));
    setEditing(false);
  };
  const round = (values: readonly number[]) => values.map((value) => Number(value.toFixed(6)));
  return (
    <Section
      title={placeName(cell)}
      aside={
        cell.locked && (
          <span className="row small muted">
            <Icon name="lock" size={14} /> locked
          </span>
        )
      }
    >
      <p className="mono tensor-name" title={cell.tensor}>
        {cell.tensor.split(".").map((part, index, parts) => (
          // A name is a path: its places tell its parts apart, and it breaks between them.
          <Fragment key={parts.slice(0, index + 1).join(".")}>
            {index > 0 && (
              <>
                .<wbr />
              </>
            )}
            {part}
          </Fragment>
        ))}
      </p>
      <p className="mono muted">
        {formatShape(cell.shape)} · {formatCount(cell.elementCount)} values
      </p>
      {!cell.merged && <p className="small muted">This tensor is copied, not merged.</p>}
      {cell.merged && !shares && <p className="small muted">Its shares are not measured yet.</p>}
      {cell.merged && shares && !editing && (
        <div className="cell-bars">
          <ShareBars bars={barsOf(cell, legend)} />
        </div>
      )}
      {cell.merged && shares && editing && (
        <OverrideEditor
          shares={round(shares)}
          legend={legend}
          onApply={state}
          onClose={() => setEditing(false)}
        />
      )}
      {cell.change && (
        <p className="small muted num cell-change">
          Changed by{" "}
          {cell.change
            .map((change, index) => `${legend.names[index]} ${formatPercent(change)}`)
            .join(", ")}
        </p>
      )}
      {cell.merged && shares && override && !editing && (
        <div className="row cell-verbs">
          <Button onClick={() => setEditing(true)}>Override</Button>
          {cell.locked ? (
            <Button
              onClick={() => studio.recipe.edit(releaseShares(recipe, override, cell.tensor))}
            >
              Unlock
            </Button>
          ) : (
            <Button onClick={() => state(round(shares))}>Lock</Button>
          )}
        </div>
      )}
    </Section>
  );
}
