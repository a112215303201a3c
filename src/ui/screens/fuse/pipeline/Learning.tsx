import { SegmentedControl } from "@mantine/core";
import { useState } from "react";
import type { PipelineRun, TrainingRun } from "../../../../engine/contract/index.ts";
import { Facts } from "../../../parts/Facts.tsx";
import { Section } from "../../../parts/Section.tsx";
import { Curves } from "../../../plots/Curves.tsx";
import {
  formatBits,
  formatCount,
  formatDuration,
  formatNumber,
  formatRate,
} from "../../../theme/format.ts";
import { CURVE_VIEWS, curvesOf, curveView, type ShownTraining, secondsLeft } from "./curveViews.ts";

interface LearningProps {
  readonly run: PipelineRun;
  readonly curves: Readonly<Record<string, TrainingRun>>;
  /** Whether the pipeline is running. */
  readonly running: boolean;
}

/** Training curves of one quantity, and all quantities of the last step. */
export function Learning({ run, curves, running }: LearningProps) {
  const [chosen, choose] = useState("loss");
  const trainings = run.stages.filter(
    ({ step, training }) => step === "distill" && training !== null,
  );
  if (trainings.length === 0) return null;
  const shown = trainings.map(({ key, title, training }, at): ShownTraining => {
    // A report keeps its curves, even after its trainings are deleted.
    const curve = run.report?.curves[at] ?? (training === null ? undefined : curves[training]);
    return { name: title, plain: key === "plain", curve };
  });
  const view = curveView(chosen);
  const told = trainings.flatMap(({ training }) => curves[training ?? ""] ?? []);
  const now = running ? trainings.find(({ state }) => state === "running") : undefined;
  const current = now?.training ? curves[now.training] : undefined;
  return (
    <Section title="Training">
      <div className="chat-learning">
        <div className="chat-plot">
          <div className="chat-unit small">
            <p>
              {view.title}, <span className="muted">{view.unit}, by step</span>
            </p>
            <SegmentedControl
              size="xs"
              className="chat-views"
              aria-label="What the curves show"
              data={CURVE_VIEWS.map(({ id, label }) => ({ value: id, label }))}
              value={view.id}
              onChange={choose}
            />
          </div>
          <Curves
            label={view.title}
            unit={view.unit}
            curves={curvesOf(view, shown)}
            lastStep={Math.max(0, ...told.map(({ steps }) => steps))}
            format={view.format}
          />
        </div>
        {now && current && <StepFacts title={now.title} curve={current} />}
      </div>
    </Section>
  );
}

function StepFacts({ title, curve }: { readonly title: string; readonly curve: TrainingRun }) {
  const { steps, points, tokensPerSecond, heldOutBefore } = curve;
  const last = points.at(-1);
  const left = secondsLeft(curve);
  const heldOut = points.findLast((point) => point.heldOut !== null)?.heldOut ?? null;
  return (
    <section className="chat-facts" aria-label={title}>
      <b className="ellipsis" title={title}>
        {title}
      </b>
      <Facts
        rows={[
          ["Step", steps > 0 ? `${formatCount(last?.step ?? 0)} of ${formatCount(steps)}` : "–"],
          ["Time left", left === null ? "–" : formatDuration(left)],
          ["Tokens per second", formatRate(tokensPerSecond)],
          ["Loss", formatBits(last?.loss ?? null)],
          [`Text, λ ${last ? formatNumber(last.lambda) : ""}`, formatBits(last?.clm ?? null)],
          ["Fusion, 1 − λ", formatBits(last?.fusion ?? null)],
          ["Gradient", formatNumber(last?.gradientNorm ?? null)],
          ["Learning rate", formatNumber(last?.learningRate ?? null)],
          ["Held out, before", formatBits(heldOutBefore)],
          ["Held out, last", formatBits(heldOut)],
        ]}
      />
    </section>
  );
}
