import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import type { TrainBatch } from "../engine/train/backward/batch.ts";
import { openTrainable } from "../engine/train/backward/openTrainable.ts";
import type { LoraTarget, TrainTarget } from "../engine/train/backward/target.ts";
import type { TrainableModel } from "../engine/train/backward/trainable.ts";
import { openFiles } from "./files.ts";

// For tests of training: a tiny model, a small LoRA, a batch of it.

export const LORA: LoraTarget = {
  kind: "lora",
  modules: ["q", "v"],
  rank: 2,
  alpha: 4,
  rslora: false,
  dropout: 0,
  seed: 5,
};

export const LLAMA = "goldens/nn/models/llama";

export async function withCheckpoint<T>(
  folder: string,
  use: (checkpoint: Checkpoint) => Promise<T>,
): Promise<T> {
  const { files, close } = await openFiles(folder);
  try {
    return await use(await openCheckpoint(files, folder));
  } finally {
    await close();
  }
}

/** Opens a model on a GPU for as long as it is used. */
export async function trained<T>(
  gpu: Gpu,
  target: TrainTarget,
  use: (model: TrainableModel) => Promise<T>,
  options: { readonly folder?: string; readonly logitBytes?: number } = {},
): Promise<T> {
  const { folder = LLAMA, ...limits } = options;
  const model = await withCheckpoint(folder, (checkpoint) =>
    openTrainable(gpu, checkpoint, target, { tokens: 24, ...limits }),
  );
  try {
    return await use(model);
  } finally {
    model.release();
  }
}

export const IDS = Array.from({ length: 21 }, (_, t) => (17 * t + 3) % 61);

export function batchOf(change: Partial<TrainBatch> = {}): TrainBatch {
  return {
    ids: Uint32Array.from(IDS.slice(0, -1)),
    documents: [0],
    labels: Uint32Array.from(IDS.slice(1)),
    weights: new Float32Array(20).fill(1),
    fused: null,
    lambda: 1,
    ...change,
  };
}

export const step = { scale: 1 / 20, step: 0 };
