import { PIPELINE_STEPS, type PipelineStage } from "../../../../engine/contract/index.ts";

const STEP_WORDS = {
  fuse: "Fuse",
  distil: "Distil",
  merge: "Merge",
  evaluate: "Evaluate",
} as const;
const STATE_WORDS = {
  waiting: "waiting",
  running: "running",
  done: "done",
  reused: "made before",
} as const;
const MARKS = { waiting: "·", running: "▸", done: "✓", reused: "↺" } as const;

/** Every stage of a pipeline, by step: which are done, which was taken over, where it is. */
export function StageList({ stages }: { readonly stages: readonly PipelineStage[] }) {
  return (
    <ol className="chat-steps">
      {PIPELINE_STEPS.map((step) => {
        const own = stages.filter((stage) => stage.step === step);
        const over = own.filter(({ state }) => state === "done" || state === "reused").length;
        const now = own.some(({ state }) => state === "running") || (over > 0 && over < own.length);
        const state = own.length > 0 && over === own.length ? "done" : now ? "now" : "later";
        return (
          <li key={step} className="step" data-state={state}>
            <b>{STEP_WORDS[step]}</b>
            <ul className="chat-stages">
              {own.map(({ key, title, state: at }) => (
                <li key={key} data-state={at}>
                  <span aria-hidden="true">{MARKS[at]}</span>
                  <span className="ellipsis" title={title}>
                    {title}
                  </span>
                  <span className="faint">{STATE_WORDS[at]}</span>
                </li>
              ))}
            </ul>
          </li>
        );
      })}
    </ol>
  );
}
