import { useStore } from "zustand";
import { modelKeys } from "../../../engine/contract/index.ts";
import { Note } from "../../parts/Note.tsx";
import type { Studio } from "../../stores/studio.ts";
import { CellPanel } from "./CellPanel.tsx";
import { LayersPanel } from "./LayersPanel.tsx";
import { MapPanel } from "./MapPanel.tsx";
import { MergeBar } from "./MergeBar.tsx";
import { MethodPanel } from "./MethodPanel.tsx";
import { ModelsPanel } from "./ModelsPanel.tsx";
import { PlanPanel } from "./PlanPanel.tsx";
import { RecipeEditor } from "./RecipeEditor.tsx";
import { StagesPanel } from "./StagesPanel.tsx";
import "./merge.css";
import "./slices.css";

/** Which recipe, and what will it do? */
export function MergeScreen({ studio }: { readonly studio: Studio }) {
  const gpu = useStore(studio.environment, (state) => state.environment?.gpu);
  return (
    <div className="merge">
      <aside className="merge-left" aria-label="Recipe">
        <ModelsPanel studio={studio} />
        <MethodPanel studio={studio} />
        <RecipeEditor studio={studio} />
      </aside>
      <div className="merge-middle">
        {gpu && !gpu.available && (
          <Note tone="warning" title="No GPU to merge on." code={gpu.failure.code}>
            {gpu.failure.message} Models can still be imported, inspected and planned.
          </Note>
        )}
        <StagesPanel studio={studio} />
        <LayersPanel studio={studio} />
        <MapPanel studio={studio} />
      </div>
      <aside className="merge-right" aria-label="Tensor and plan">
        <CellPanel studio={studio} />
        <PlanPanel studio={studio} />
      </aside>
      <MergeBar studio={studio} />
    </div>
  );
}

/** The method and how many models it is given. */
export function MergeSubject({ studio }: { readonly studio: Studio }) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const methods = useStore(studio.environment, (state) => state.methods);
  const method = methods.find(({ id }) => id === recipe.method)?.title ?? recipe.method;
  const count = modelKeys(recipe).length;
  if (count === 0) return null;
  return (
    <span className="chip header-wide num">
      {method} · {count === 1 ? "1 model" : `${count} models`}
    </span>
  );
}
