import { Select } from "@mantine/core";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import {
  type Failure,
  sourceLists,
  type TensorInspection,
  toFailure,
  type WeightCell,
} from "../../../engine/contract/index.ts";
import { Facts } from "../../parts/Facts.tsx";
import { Note } from "../../parts/Note.tsx";
import { Section } from "../../parts/Section.tsx";
import { Histogram } from "../../plots/Histogram.tsx";
import type { Studio } from "../../stores/studio.ts";
import { formatCount, formatNumber, formatPercent } from "../../theme/format.ts";

interface TensorNumbersProps {
  readonly studio: Studio;
  readonly cell: WeightCell;
}

/** One model's tensor in numbers: how it differs from the base, else what is in it. */
export function TensorNumbers({ studio, cell }: TensorNumbersProps) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const library = useStore(studio.library, (state) => state.models);
  const models = sourceLists(recipe).flat();
  const names = [...new Set(models.map(({ model }) => model))];
  const largest = cell.shares?.indexOf(Math.max(...cell.shares)) ?? 0;
  const [wanted, setWanted] = useState(models[largest]?.model);
  const chosen = names.find((name) => name === wanted) ?? names[0] ?? "";
  const idOf = (name: string | undefined) => library?.find((model) => model.name === name)?.id;
  const model = idOf(chosen);
  const against = idOf(recipe.base) ?? null;
  const { inspection, failure } = useInspection(studio, model, cell.tensor, against);
  const delta = inspection?.against;
  const { statistics, histogram } = inspection ?? {};
  return (
    <Section
      title={against ? "Change by value" : "Values"}
      aside={
        <Select
          aria-label="Model to look into"
          data={names}
          value={chosen}
          allowDeselect={false}
          size="xs"
          w={150}
          onChange={(name) => name && setWanted(name)}
        />
      }
    >
      {failure && (
        <Note tone="error" code={failure.code}>
          {failure.message}
        </Note>
      )}
      <div className="numbers" aria-busy={!inspection && !failure}>
        {histogram && <Histogram label={`Histogram of ${chosen}`} {...histogram} />}
        {statistics && (
          <Facts
            rows={[
              ...(delta
                ? ([
                    [
                      "Relative change",
                      delta.relative === null ? "–" : formatPercent(delta.relative),
                    ],
                    ["Weights’ cosine to the base", formatNumber(delta.cosine)],
                    ["Largest change", formatNumber(delta.maxAbsDelta)],
                    ["Sign flips", formatCount(delta.signFlips)],
                  ] as const)
                : []),
              ["Weights: mean", formatNumber(statistics.mean)],
              ["Weights: deviation", formatNumber(statistics.std)],
              ["Weights: least", formatNumber(statistics.min)],
              ["Weights: greatest", formatNumber(statistics.max)],
              ["Weights: zeros", formatCount(statistics.zeros)],
              ...(statistics.nan + statistics.inf > 0
                ? ([
                    [
                      "Weights: NaN, infinite",
                      `${formatCount(statistics.nan)}, ${formatCount(statistics.inf)}`,
                    ],
                  ] as const)
                : []),
            ]}
          />
        )}
      </div>
    </Section>
  );
}

interface Inspected {
  readonly inspection: TensorInspection | null;
  readonly failure: Failure | null;
}

/** Asks the engine about one tensor; the last answer stays until the next one is there. */
function useInspection(
  studio: Studio,
  model: string | undefined,
  tensor: string,
  against: string | null,
): Inspected {
  const [state, setState] = useState<Inspected>({ inspection: null, failure: null });
  useEffect(() => {
    if (!model) return;
    let current = true;
    studio.engine.inspectTensor({ model, tensor, against }).then(
      (inspection) => current && setState({ inspection, failure: null }),
      (error: unknown) => current && setState({ inspection: null, failure: toFailure(error) }),
    );
    return () => {
      current = false;
    };
  }, [studio, model, tensor, against]);
  return state;
}
