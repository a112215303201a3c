import type { Step } from "./fusionSteps.ts";

const STATES = { done: "done", now: "under way", todo: "to come" } as const;

/** Steps of a fusion, with the current one. */
export function FusionSteps({ steps }: { readonly steps: readonly Step[] }) {
  return (
    <ol className="steps num" aria-label="Pipeline">
      {steps.map(({ stage, state, words }) => (
        <li
          key={stage}
          className="step"
          data-state={state}
          {...(state === "now" ? { "aria-current": "step" } : {})}
        >
          <b>
            {stage} <span className="unseen">({STATES[state]})</span>
          </b>
          <span className="ellipsis" title={words}>
            {words}
          </span>
        </li>
      ))}
    </ol>
  );
}
