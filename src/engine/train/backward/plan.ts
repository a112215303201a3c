import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { type MeasuredDecoder, measureDecoder } from "../../runtime/decoder/plan.ts";
import { listTensors } from "../../runtime/description/tensors.ts";
import { Recorder } from "../../runtime/kernels/recorder.ts";
import { adaptedModules } from "./adaptedModules.ts";
import { alignRows, wholeQuads } from "./alignRows.ts";
import { type SpaceLimits, spaceBytes } from "./space.ts";
import type { TrainTarget } from "./target.ts";

/** Planned GPU memory by purpose, in bytes; an optimiser's state is extra. */
export interface TrainPlan {
  /** Tokens of the longest batch. */
  readonly tokens: number;
  /** Frozen weights, as stored. */
  readonly weightBytes: number;
  /** Number of values in each trained tensor. */
  readonly counts: readonly number[];
  /** Trained values, in f32. */
  readonly parameterBytes: number;
  readonly gradientBytes: number;
  /** Activations kept of every layer until its backward pass: its input, and attention's output. */
  readonly checkpointBytes: number;
  /** One layer's activations and their gradients. */
  readonly activationBytes: number;
  /** Logits of the rows that are computed at once. */
  readonly logitBytes: number;
  readonly totalBytes: number;
}

/** Number of values in each trained tensor. */
function parameterCounts(spec: MeasuredDecoder["spec"], target: TrainTarget): readonly number[] {
  if (target.kind === "full") {
    return listTensors(spec).map(({ shape }) => shape.reduce((product, n) => product * n, 1));
  }
  return adaptedModules(spec, target).flatMap(({ inputs, outputs }) => [
    target.rank * inputs,
    target.rank * outputs,
  ]);
}

/** Bytes of a LoRA's scaled B factors. */
function scaledBytes(spec: MeasuredDecoder["spec"], target: TrainTarget): number {
  if (target.kind === "full") return 0;
  const linear = adaptedModules(spec, target).filter(({ kind }) => kind === "linear");
  return linear.reduce((sum, { outputs }) => sum + 4 * wholeQuads(target.rank * outputs), 0);
}

/** Memory plan from headers alone. Errors: those of `measureDecoder`. */
export function planTraining(
  checkpoint: Checkpoint,
  target: TrainTarget,
  tokens: number,
): TrainPlan {
  return planMeasured(measureDecoder(checkpoint), target, { tokens });
}

/** Memory plan of a checkpoint that was measured before. */
export function planMeasured(
  { spec, weightBytes: stored }: MeasuredDecoder,
  target: TrainTarget,
  limits: SpaceLimits,
): TrainPlan {
  const { tokens } = limits;
  const counts = parameterCounts(spec, target);
  const parameterBytes = counts.reduce((sum, count) => sum + 4 * wholeQuads(count), 0);
  const weightBytes = target.kind === "full" ? 0 : stored;
  const space = spaceBytes(alignRows(spec), target, limits);
  const activationBytes = space.activationBytes + scaledBytes(spec, target);
  const totalBytes =
    weightBytes +
    2 * parameterBytes +
    space.checkpointBytes +
    activationBytes +
    space.logitBytes +
    Recorder.byteLength;
  return {
    tokens,
    counts,
    weightBytes,
    parameterBytes,
    gradientBytes: parameterBytes,
    ...space,
    activationBytes,
    totalBytes,
  };
}
