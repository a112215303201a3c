import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { EngineError, type TrainingPlan, type TrainingSettings } from "../contract/index.ts";
import { momentBytes, updateBytes } from "./adamw.ts";
import { planTraining } from "./backward/plan.ts";
import type { PartedDocuments } from "./documents.ts";
import { orderTraining } from "./order.ts";
import { targetOf } from "./run.ts";
import { checkTrainingSettings } from "./settings.ts";
import { readbackBytes } from "./snapshot.ts";

/** Bytes of fused rows per token, at twelve bytes an entry: more entries than most rows have. */
const ENTRY_BYTES = 12 * 16;
const SHORTEST = 32;

type Bytes = TrainingPlan["bytes"];

function bytesOf(pivot: Checkpoint, settings: TrainingSettings): Bytes {
  const plan = planTraining(pivot, targetOf(settings), settings.sequenceTokens);
  const moments = plan.counts.reduce((sum, count) => sum + momentBytes(count), 0);
  const beside =
    updateBytes(plan.counts) + readbackBytes(plan.counts) + ENTRY_BYTES * settings.sequenceTokens;
  return {
    weights: plan.weightBytes,
    parameters: plan.parameterBytes,
    gradients: plan.gradientBytes,
    moments,
    checkpoints: plan.checkpointBytes,
    activations: plan.activationBytes,
    logits: plan.logitBytes,
    total: plan.totalBytes + moments + beside,
  };
}

/** Sentence with the gentlest change of settings that makes a training fit. */
function suggest(pivot: Checkpoint, settings: TrainingSettings, budgetBytes: number): string {
  const fits = (change: Partial<TrainingSettings>) =>
    bytesOf(pivot, { ...settings, ...change }).total <= budgetBytes;
  for (let tokens = settings.sequenceTokens >> 1; tokens >= SHORTEST; tokens >>= 1) {
    if (fits({ sequenceTokens: tokens })) return `It fits with sequences of ${tokens} tokens.`;
  }
  if (settings.mode === "full") {
    for (const sequenceTokens of [settings.sequenceTokens, SHORTEST]) {
      if (!fits({ mode: "lora", sequenceTokens })) continue;
      return `It fits as a LoRA of rank ${settings.rank} with sequences of ${sequenceTokens} tokens.`;
    }
  }
  for (let rank = settings.rank >> 1; rank >= 1; rank >>= 1) {
    const sequenceTokens = Math.min(SHORTEST, settings.sequenceTokens);
    if (settings.mode === "lora" && fits({ rank, sequenceTokens })) {
      return `It fits with a rank of ${rank} and sequences of ${sequenceTokens} tokens.`;
    }
  }
  const { total } = bytesOf(pivot, { ...settings, sequenceTokens: SHORTEST });
  return `Even sequences of ${SHORTEST} tokens take ${total} bytes: raise the GPU budget, or take a smaller pivot.`;
}

/** GPU memory of a training whatever its dataset, and a suggestion where it does not fit. */
function planRoom(pivot: Checkpoint, settings: TrainingSettings, budgetBytes: number) {
  const bytes = bytesOf(pivot, settings);
  const fits = bytes.total <= budgetBytes;
  return { bytes, budgetBytes, suggestion: fits ? null : suggest(pivot, settings, budgetBytes) };
}

/**
 * Checks a training before any data is read: settings in range, a pivot that can be trained, and
 * enough GPU memory (`gpu-memory`).
 */
export function checkTraining(
  pivot: Checkpoint,
  settings: TrainingSettings,
  budgetBytes: number,
): void {
  requireRoom(planRoom(pivot, checkTrainingSettings(settings), budgetBytes));
}

/** Plan of a training. Errors: those of `measureDecoder` for a pivot that cannot be run. */
export function planRun(
  pivot: Checkpoint,
  documents: PartedDocuments,
  settings: TrainingSettings,
  budgetBytes: number,
): TrainingPlan {
  const room = planRoom(pivot, settings, budgetBytes);
  const { steps } = orderTraining(documents.learned.lengths, settings);
  return {
    ...room,
    steps,
    tokensPerStep: settings.batchTokens,
    documents: documents.learned.lengths.length,
    heldOutDocuments: documents.heldOut,
    trainedValues: room.bytes.parameters / 4,
  };
}

/** Throws `gpu-memory`, with the suggestion, where a training does not fit. */
export function requireRoom({
  bytes,
  budgetBytes,
  suggestion,
}: Pick<TrainingPlan, "bytes" | "budgetBytes" | "suggestion">): void {
  if (suggestion === null) return;
  throw new EngineError(
    "gpu-memory",
    `This training takes ${bytes.total} bytes on the GPU; the budget is ${budgetBytes}. ${suggestion}`,
    { total: bytes.total, budget: budgetBytes },
  );
}
