import {
  type JobCard,
  PIPELINE_STEPS,
  type PipelineStage,
} from "../../../../engine/contract/index.ts";
import { compareModels, openDocuments } from "../../../stores/pipelineResults.ts";
import type { Studio } from "../../../stores/studio.ts";
import { type ShownState, shownState, stepState } from "./stages.ts";

const STEP_WORDS = {
  fuse: "Fuse",
  distill: "Distill",
  merge: "Merge",
  evaluate: "Evaluate",
} as const;
const MARKS: Readonly<Record<ShownState, string>> = {
  waiting: "·",
  running: "▸",
  done: "✓",
  "made before": "↺",
  stopped: "‖",
  failed: "✕",
};

/** States that only their icon shows. */
const QUIET: ReadonlySet<ShownState> = new Set(["waiting", "done"]);

interface StageListProps {
  readonly studio: Studio;
  readonly stages: readonly PipelineStage[];
  readonly job: Pick<JobCard, "state">;
}

/** Stages of a pipeline by step, with their states. */
export function StageList({ studio, stages, job }: StageListProps) {
  return (
    <ol className="chat-steps" aria-label="Pipeline">
      {PIPELINE_STEPS.map((step) => {
        const own = stages.filter((stage) => stage.step === step);
        if (own.length === 0) return null;
        const state = stepState(own);
        return (
          <li
            key={step}
            className="step"
            data-state={state}
            {...(state === "now" ? { "aria-current": "step" } : {})}
          >
            <b>{STEP_WORDS[step]}</b>
            <ul className="chat-stages">
              {own.map((stage) => {
                const shown = shownState(stage, job);
                return (
                  <li key={stage.key} data-state={shown}>
                    <span aria-hidden="true">{MARKS[shown]}</span>
                    <StageTitle studio={studio} stage={stage} />
                    <span className={QUIET.has(shown) ? "unseen" : "chat-stage-state"}>
                      {shown}
                    </span>
                  </li>
                );
              })}
            </ul>
          </li>
        );
      })}
    </ol>
  );
}

/** Title of a stage, which links to its result once that exists. */
function StageTitle({
  studio,
  stage: { title, fusion, model },
}: {
  readonly studio: Studio;
  readonly stage: PipelineStage;
}) {
  if (fusion === null && model === null) {
    return (
      <span className="ellipsis" title={title}>
        {title}
      </span>
    );
  }
  const open = () => {
    if (fusion !== null) openDocuments(studio, fusion);
    else if (model !== null) compareModels(studio, [model]);
  };
  const where = fusion === null ? "try it in the Playground" : "look at its documents";
  return (
    <button
      type="button"
      className="chat-open ellipsis"
      title={`${title}: ${where}`}
      onClick={open}
    >
      {title}
    </button>
  );
}
