import type { TrainingPoint, TrainingRun } from "../../../../engine/contract/index.ts";
import type { Curve } from "../../../plots/curve.ts";
import { BASE_COLOUR, modelColour } from "../../../theme/colours.ts";
import { formatBits, formatNumber } from "../../../theme/format.ts";

/** A quantity of the training that is shown as a curve. */
export interface CurveView {
  readonly id: string;
  /** Label of the switch. */
  readonly label: string;
  readonly title: string;
  readonly unit: string;
  readonly pick: (point: TrainingPoint) => number | null;
  readonly format: (value: number) => string;
}

const LOSS: CurveView = {
  id: "loss",
  label: "Loss",
  title: "Loss",
  unit: "nats a token",
  pick: ({ loss }) => loss,
  format: formatBits,
};

/** Quantities to choose from; the first is the default. */
export const CURVE_VIEWS: readonly CurveView[] = [
  LOSS,
  {
    id: "text",
    label: "Text",
    title: "Loss of the text alone",
    unit: "nats a token",
    pick: ({ clm }) => clm,
    format: formatBits,
  },
  {
    id: "fusion",
    label: "Fusion",
    title: "Loss of what is fused",
    unit: "nats a fused row",
    pick: ({ fusion }) => fusion,
    format: formatBits,
  },
  {
    id: "held-out",
    label: "Held out",
    title: "Held-out texts",
    unit: "bits per byte",
    pick: ({ heldOut }) => heldOut,
    format: formatBits,
  },
  {
    id: "gradient",
    label: "Gradient",
    title: "Length of the gradient",
    unit: "before it is clipped",
    pick: ({ gradientNorm }) => gradientNorm,
    format: formatNumber,
  },
  {
    id: "rate",
    label: "Rate",
    title: "Learning rate",
    unit: "of AdamW",
    pick: ({ learningRate }) => learningRate,
    format: formatNumber,
  },
];

export const curveView = (id: string): CurveView =>
  CURVE_VIEWS.find((view) => view.id === id) ?? LOSS;

/** A training of the pipeline, as it is drawn. */
export interface ShownTraining {
  readonly name: string;
  /** Whether it is the training without sources, which has the pivot's colour. */
  readonly plain: boolean;
  readonly curve: Pick<TrainingRun, "heldOutBefore" | "points"> | undefined;
}

const DASHES = ["", "7 4", "2 3", "9 3 2 3"] as const;

/** Curves of a view, one per training; held-out scores begin before the first step. */
export function curvesOf(
  { id, pick }: CurveView,
  trainings: readonly ShownTraining[],
): readonly Curve[] {
  return trainings.map(({ name, plain, curve }, at) => {
    const points = (curve?.points ?? []).flatMap((point) => {
      const value = pick(point);
      return value === null ? [] : [{ step: point.step, value }];
    });
    const before = id === "held-out" ? (curve?.heldOutBefore ?? null) : null;
    return {
      name,
      colour: plain ? BASE_COLOUR : modelColour(at),
      dash: DASHES[at % DASHES.length] as string,
      points: before === null ? points : [{ step: 0, value: before }, ...points],
    };
  });
}

/** Seconds until a training is done; null while its speed is unknown. */
export function secondsLeft({
  steps,
  points,
  tokensPerSecond,
}: Pick<TrainingRun, "steps" | "points" | "tokensPerSecond">): number | null {
  const last = points.at(-1);
  if (!last || steps === 0 || tokensPerSecond === null || tokensPerSecond <= 0) return null;
  const tokens = points.reduce((sum, point) => sum + point.tokens, 0) / points.length;
  return (Math.max(0, steps - last.step) * tokens) / tokensPerSecond;
}
