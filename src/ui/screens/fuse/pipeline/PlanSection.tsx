import { useEffect } from "react";
import { useStore } from "zustand";
import type { TrainingPlan } from "../../../../engine/contract/index.ts";
import { Facts } from "../../../parts/Facts.tsx";
import { Note } from "../../../parts/Note.tsx";
import { Section } from "../../../parts/Section.tsx";
import { refusal } from "../../../stores/pipelineActions.ts";
import { planTraining, trainingToPlan } from "../../../stores/pipelinePlan.ts";
import type { Studio } from "../../../stores/studio.ts";
import { formatBytes, formatBytesOf, formatCount, formatQuantity } from "../../../theme/format.ts";

/** Milliseconds without typing before a plan is requested. */
const PATIENCE_MS = 300;

const PURPOSES = {
  weights: "Weights",
  parameters: "What is trained",
  gradients: "Its gradients",
  moments: "The optimiser’s moments",
  checkpoints: "Checkpoints of the layers",
  activations: "Activations of one layer",
  logits: "A tile of logits",
} as const satisfies Partial<Record<keyof TrainingPlan["bytes"], string>>;

/** GPU memory of a training, before it starts. */
export function PlanSection({ studio }: { readonly studio: Studio }) {
  useStore(studio.fusion, (state) => state.draft);
  useStore(studio.library);
  useStore(studio.playground, (state) => state.cards);
  const { plan, planFailure } = useStore(studio.pipeline);
  const request = trainingToPlan(studio);
  const budget = useStore(studio.environment, ({ environment }) =>
    environment?.gpu.available ? environment.gpu.budgetBytes : null,
  );
  const wanted = request && JSON.stringify(request);
  useEffect(() => {
    studio.pipeline.setState({ plan: null, planFailure: null });
    if (wanted === null || budget === null) return undefined;
    const stop = new AbortController();
    const ask = () => void planTraining(studio, JSON.parse(wanted), stop.signal);
    const timer = window.setTimeout(ask, PATIENCE_MS);
    return () => {
      window.clearTimeout(timer);
      stop.abort();
    };
  }, [studio, wanted, budget]);
  if (!plan && !planFailure) return null;
  const refused = refusal(plan);
  return (
    <Section title="Plan of a training">
      {planFailure && (
        <Note tone="warning" code={planFailure.code}>
          {planFailure.message}
        </Note>
      )}
      {refused !== null && (
        <Note tone="warning" role="status">
          {refused}
        </Note>
      )}
      {plan && <PlanFacts plan={plan} />}
    </Section>
  );
}

function PlanFacts({ plan }: { readonly plan: TrainingPlan }) {
  const { steps, tokensPerStep, trainedValues, bytes, budgetBytes } = plan;
  return (
    <>
      <Facts
        rows={[
          ["Steps", formatCount(steps)],
          ["Tokens a step", formatCount(tokensPerStep)],
          ["Trained values", formatQuantity(trainedValues)],
          ["On the GPU", formatBytesOf(bytes.total, budgetBytes)],
        ]}
      />
      <details className="fold">
        <summary>
          <span className="small">What takes it</span>
        </summary>
        <Facts
          rows={Object.entries(PURPOSES).map(([key, words]) => [
            words,
            formatBytes(bytes[key as keyof typeof PURPOSES]),
          ])}
        />
      </details>
    </>
  );
}
