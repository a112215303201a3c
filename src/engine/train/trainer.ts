import { EngineError, type TrainingPoint, type TrainingSettings } from "../contract/index.ts";
import { uniform } from "../core/random.ts";
import type { FusedRecord } from "../fuse/dataset/records.ts";
import { scheduledLambda } from "../fuse/rows/lambda.ts";
import type { Gpu } from "../gpu/device.ts";
import { AdamW, NONFINITE_HELP } from "./adamw.ts";
import type { TrainBatch } from "./backward/batch.ts";
import type { Losses, TrainableModel } from "./backward/trainable.ts";
import { countTokens, makeBatch } from "./batch.ts";
import { orderEpoch, orderTraining, type Sequence, type TrainingOrder } from "./order.ts";
import { learningRateAt } from "./schedule.ts";

/** Documents of a training. */
export interface TrainingDocuments {
  /** Tokens of each training document. */
  readonly lengths: ArrayLike<number>;
  read(place: number): Promise<FusedRecord>;
  /** λ of a document, from its models' rewards (`softLambda`). */
  softLambda(record: FusedRecord): number;
}

export interface TrainerParts {
  readonly gpu: Gpu;
  readonly model: TrainableModel;
  readonly documents: TrainingDocuments;
  readonly settings: TrainingSettings;
}

const NOTHING: Losses = { clm: 0, fusion: 0, entropy: 0, tokens: 0, fusedTokens: 0 };
/**
 * Call number of a sequence, which seeds its dropout: 32 bits of a hash, as a counter would repeat
 * in long runs.
 */
const callOf = (step: number, sequence: number) => Math.floor(2 ** 32 * uniform(step, sequence));

const add = (a: Losses, b: Losses): Losses => ({
  clm: a.clm + b.clm,
  fusion: a.fusion + b.fusion,
  entropy: a.entropy + b.entropy,
  tokens: a.tokens + b.tokens,
  fusedTokens: a.fusedTokens + b.fusedTokens,
});

/**
 * Trains a model on documents, update by update. Everything that an update reads is a pure function
 * of the settings and its number, so a training resumes bit for bit from parameters and moments
 * alone.
 */
export class Trainer {
  readonly order: TrainingOrder;
  readonly optimiser: AdamW;
  readonly #parts: TrainerParts;

  constructor(parts: TrainerParts) {
    this.#parts = parts;
    const { documents, settings } = parts;
    // A soft λ differs by document, so documents are not packed together.
    const packing = settings.packing && settings.lambdaSchedule !== "soft";
    this.order = orderTraining(documents.lengths, { ...settings, packing });
    this.optimiser = new AdamW(parts.gpu, parts.model.parameters, settings);
  }

  /**
   * Runs update `step`, from 0. `nonfinite` where the loss or a gradient is NaN or infinite, and
   * `cancelled` between two sequences; in both cases nothing was updated.
   */
  async step(step: number, signal: AbortSignal): Promise<TrainingPoint> {
    const { model, settings } = this.#parts;
    const { steps } = this.order;
    const batches: TrainBatch[] = [];
    for (const sequence of this.order.at(step)) batches.push(await this.#batch(sequence, step));
    const counted = batches.reduce((sum, batch) => sum + countTokens(batch), 0);
    model.zeroGradients();
    let sums = NOTHING;
    let loss = 0;
    let weighted = 0;
    for (const [i, batch] of batches.entries()) {
      signal.throwIfAborted();
      const call = callOf(step, i);
      const losses = await model.accumulate(batch, { scale: 1 / counted, step: call, signal });
      requireFinite(losses, this.order.at(step)[i]!, step);
      const { lambda } = batch;
      sums = add(sums, losses);
      loss += lambda * losses.clm + (1 - lambda) * fusionLoss(losses, settings);
      weighted += lambda * losses.tokens;
    }
    const gradientNorm = await this.optimiser.gradientNorm(step);
    const learningRate = learningRateAt(settings, step, steps);
    await this.optimiser.update(step, learningRate, gradientNorm);
    const tokens = Math.max(1, sums.tokens);
    return {
      step: step + 1,
      loss: loss / tokens,
      clm: sums.clm / tokens,
      fusion: sums.fusedTokens > 0 ? fusionLoss(sums, settings) / sums.fusedTokens : null,
      lambda: weighted / tokens,
      learningRate,
      gradientNorm,
      tokens: sums.tokens,
      heldOut: null,
    };
  }

  async #batch(sequence: Sequence, step: number): Promise<TrainBatch> {
    const { documents, settings } = this.#parts;
    const records = new Map<number, FusedRecord>();
    for (const { document } of sequence) records.set(document, await documents.read(document));
    const [first] = records.values();
    const lambda =
      settings.lambdaSchedule === "soft"
        ? documents.softLambda(first as FusedRecord)
        : scheduledLambda(settings.lambdaSchedule, settings.lambda, {
            step,
            steps: this.order.steps,
          });
    return makeBatch(sequence, records, lambda);
  }

  release(): void {
    this.optimiser.release();
  }
}

/** `nonfinite` with the step and the documents: the loss is where it first shows. */
function requireFinite({ clm, fusion }: Losses, sequence: Sequence, step: number): void {
  if (Number.isFinite(clm) && Number.isFinite(fusion)) return;
  const documents = [...new Set(sequence.map(({ document }) => document + 1))];
  const which =
    documents.length > 1 ? `documents ${documents.join(", ")}` : `document ${documents}`;
  throw new EngineError(
    "nonfinite",
    `In step ${step + 1} the loss of ${which} is NaN or infinite. ${NONFINITE_HELP}`,
    { step: step + 1, document: documents[0] ?? 0 },
  );
}

/** Σ over the fused rows, in nats: cross-entropy, or with `kl` less the rows' own entropy. */
function fusionLoss({ fusion, entropy }: Losses, settings: TrainingSettings): number {
  return settings.fusionLoss === "kl" ? fusion - entropy : fusion;
}

/** Bits per byte of the held-out documents; null where there are none. */
export async function readHeldOut(
  model: TrainableModel,
  records: readonly FusedRecord[],
  settings: TrainingSettings,
  signal: AbortSignal,
): Promise<number | null> {
  const lengths = records.map(({ pivot }) => pivot.tokens.ids.length);
  const byPlace = new Map(records.entries());
  const bytes = records.reduce((sum, { supervisedBytes }) => sum + supervisedBytes, 0);
  let nats = 0;
  for (const sequences of orderEpoch(lengths, { ...settings, packing: true }, 0)) {
    for (const sequence of sequences) {
      signal.throwIfAborted();
      const losses = await model.evaluate(makeBatch(sequence, byPlace, 1), { signal });
      nats += losses.clm;
    }
  }
  return bytes > 0 ? nats / Math.LN2 / bytes : null;
}
