import { Button } from "@mantine/core";
import { useStore } from "zustand";
import type { WeightMap } from "../../../engine/contract/index.ts";
import { control } from "../../stores/actions.ts";
import { COMMANDS } from "../../stores/commands.ts";
import { progressNumbers } from "../../stores/progress.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes, formatCount } from "../../theme/format.ts";

interface MeasureLineProps {
  readonly studio: Studio;
  readonly map: WeightMap;
}

/** How much of the map is measured, and the way to the rest. */
export function MeasureLine({ studio, map }: MeasureLineProps) {
  const job = useStore(studio.jobs, (state) =>
    state.jobs?.find(({ kind, state: now }) => kind === "measure" && now === "running"),
  );
  const merging = useStore(studio.jobs, (state) =>
    state.jobs?.some(({ kind, state: now }) => kind === "merge" && now === "running"),
  );
  const plan = useStore(studio.forecast, (state) => state.plan);
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const gpu = useStore(studio.environment, (state) => state.environment?.gpu);
  const failure = useStore(
    studio.jobs,
    (state) =>
      state.jobs?.find(
        ({ kind, recipe: own }) =>
          kind === "measure" && JSON.stringify(own) === JSON.stringify(recipe),
      )?.failure,
  );
  if (map.measured >= map.total) return null;
  const count = `${formatCount(map.measured)} of ${formatCount(map.total)} measured`;
  return (
    <span className="measure num small" role="status">
      <span className="muted">{job ? `${count} · ${progressNumbers(job.progress)}` : count}</span>
      {job && (
        <Button size="compact-sm" onClick={() => control(studio, job.id, "cancel")}>
          Stop measuring
        </Button>
      )}
      {!job && failure && failure.code !== "cancelled" && (
        <span className="measure-failure">
          {failure.message} <span className="mono">{failure.code}</span>
        </span>
      )}
      {!job && !merging && !recipe.stages && plan?.runnable && gpu?.available && (
        <Button
          size="compact-sm"
          title={`Reads ${formatBytes(plan.readBytes)}`}
          onClick={() => COMMANDS.measure.run(studio)}
        >
          {COMMANDS.measure.label}
        </Button>
      )}
    </span>
  );
}
