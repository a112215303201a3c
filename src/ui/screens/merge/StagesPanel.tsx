import { Checkbox } from "@mantine/core";
import { useMemo } from "react";
import { useStore } from "zustand";
import { StageGraph } from "../../plots/StageGraph.tsx";
import { stageNodes } from "../../plots/stageGraph.ts";
import { resultName } from "../../stores/actions.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes } from "../../theme/format.ts";

/** The merges of a recipe of several documents: what each reads, and which result goes where. */
export function StagesPanel({ studio }: { readonly studio: Studio }) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const keep = useStore(studio.recipe, (state) => state.keepStages);
  useStore(studio.recipe, (state) => state.name);
  const plan = useStore(studio.forecast, (state) => state.plan);
  const methods = useStore(studio.environment, (state) => state.methods);
  const nodes = useMemo(() => stageNodes(recipe), [recipe]);
  if (nodes.length === 0) return null;
  const sizes = plan?.stages?.map((stage) => stage.plan.writeBytes) ?? [];
  const rest = (plan?.writeBytes ?? 0) - sizes.reduce((sum, bytes) => sum + bytes, 0);
  return (
    <section className="layers" aria-label="Documents">
      <div className="map-head">
        <h2>Documents</h2>
        <p className="grow muted num">
          {nodes.length} merges, one after the other; the last one is the result.
        </p>
      </div>
      <StageGraph
        nodes={nodes}
        result={resultName(studio)}
        facts={plan?.stages ? [...sizes, rest].map(formatBytes) : []}
        methodTitle={(id) => methods.find((method) => method.id === id)?.title ?? id}
      />
      <Checkbox
        size="xs"
        label="Keep the results in between in the library"
        checked={keep}
        onChange={({ currentTarget }) => studio.recipe.keepStages(currentTarget.checked)}
      />
    </section>
  );
}
