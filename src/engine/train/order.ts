import type { TrainingSettings } from "../contract/index.ts";
import { uniform } from "../core/random.ts";

/** A stretch of a document that fits a sequence: tokens [from, from + tokens). */
export interface Stretch {
  readonly document: number;
  readonly from: number;
  readonly tokens: number;
}

/** A sequence: stretches one after the other, which do not attend to each other. */
export type Sequence = readonly Stretch[];

/** Sequences between two updates. */
export type StepSequences = readonly Sequence[];

type OrderSettings = Pick<TrainingSettings, "seed" | "packing" | "sequenceTokens" | "batchTokens">;

/** Permutation of 0 … count - 1, a pure function of seed and epoch (Fisher and Yates). */
export function shuffled(count: number, seed: number, epoch: number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  // Mixed, not added: the second epoch of one seed must differ from the first of the next.
  const stream = (seed ^ Math.imul(epoch + 1, 0x9e3779b1)) >>> 0;
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform(stream, i) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * Stretches of a long document; the last token of a stretch predicts nothing, so the next one
 * repeats it.
 */
function cutDocument(document: number, tokens: number, longest: number): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (let from = 0; from + 1 < tokens; from += longest - 1) {
    stretches.push({ document, from, tokens: Math.min(longest, tokens - from) });
  }
  return stretches;
}

/** Updates of one epoch over documents of these lengths, in tokens. */
export function orderEpoch(
  lengths: ArrayLike<number>,
  settings: OrderSettings,
  epoch: number,
): readonly StepSequences[] {
  const { seed, packing, sequenceTokens, batchTokens } = settings;
  const sequences: Stretch[][] = [];
  let room = 0;
  for (const document of shuffled(lengths.length, seed, epoch)) {
    for (const stretch of cutDocument(document, lengths[document]!, sequenceTokens)) {
      const open = packing ? sequences.at(-1) : undefined;
      if (open && stretch.tokens <= room) open.push(stretch);
      else {
        sequences.push([stretch]);
        room = sequenceTokens;
      }
      room -= stretch.tokens;
    }
  }
  const steps: Sequence[][] = [];
  let tokens = Number.POSITIVE_INFINITY;
  for (const sequence of sequences) {
    const own = sequence.reduce((sum, stretch) => sum + stretch.tokens, 0);
    if (tokens + own > batchTokens) {
      steps.push([]);
      tokens = 0;
    }
    steps.at(-1)!.push(sequence);
    tokens += own;
  }
  return steps;
}

/** Sequences of every update of a training. */
export interface TrainingOrder {
  readonly steps: number;
  /** Sequences of update `step`, from 0. */
  at(step: number): StepSequences;
}

/** Order of a whole training: as many updates as are asked for, or as its epochs take. */
export function orderTraining(
  lengths: ArrayLike<number>,
  settings: OrderSettings & Pick<TrainingSettings, "steps" | "epochs">,
): TrainingOrder {
  const epochs = new Map<number, readonly StepSequences[]>();
  /** First step of every epoch known so far; epochs may differ by a step or two. */
  const starts = [0];
  const epochAt = (epoch: number): readonly StepSequences[] => {
    const known = epochs.get(epoch);
    if (known) return known;
    const made = orderEpoch(lengths, settings, epoch);
    if (epochs.size > 2) epochs.clear(); // Forwards, one is enough.
    epochs.set(epoch, made);
    return made;
  };
  const startOf = (epoch: number): number => {
    for (let known = starts.length - 1; known < epoch; known++) {
      starts.push(starts[known]! + epochAt(known).length);
    }
    return starts[epoch]!;
  };
  const firstEpoch = epochAt(0).length;
  if (firstEpoch === 0) return { steps: 0, at: () => [] };
  const whole = Math.floor(settings.epochs);
  const rest = Math.ceil((settings.epochs - whole) * firstEpoch);
  const steps = settings.steps ?? Math.max(1, startOf(whole) + rest);
  return {
    steps,
    at(step) {
      let epoch = 0;
      while (startOf(epoch + 1) <= step) epoch++;
      return epochAt(epoch)[step - startOf(epoch)]!;
    },
  };
}
