import { join } from "node:path";
import type { Checkpoint } from "../src/engine/checkpoint/checkpoint.ts";
import { openCheckpoint } from "../src/engine/checkpoint/open.ts";
import type { TrainingSettings } from "../src/engine/contract/index.ts";
import { bytesInMemory } from "../src/engine/core/bytes.ts";
import type { FusedRecord } from "../src/engine/fuse/dataset/records.ts";
import { makeRecord } from "../src/engine/fuse/dataset/testRecords.ts";
import type { Gpu } from "../src/engine/gpu/device.ts";
import { openDecoder } from "../src/engine/runtime/decoder/openDecoder.ts";
import { readCrossEntropy } from "../src/engine/runtime/generate/score.ts";
import { Recorder } from "../src/engine/runtime/kernels/recorder.ts";
import { openTrainable } from "../src/engine/train/backward/openTrainable.ts";
import type { TrainableModel } from "../src/engine/train/backward/trainable.ts";
import { planRun } from "../src/engine/train/planner.ts";
import { targetOf } from "../src/engine/train/run.ts";
import { takeSnapshot } from "../src/engine/train/snapshot.ts";
import { Trainer } from "../src/engine/train/trainer.ts";
import { openFiles } from "../src/node/files.ts";
import { openGpuProvider } from "../src/node/gpuProvider.ts";

export const FOLDER = join("public", "samples", "ember-base");
/** Entries of a fused row. */
const K = 10;

/** The least of all rounds, by the clock and of processor time. */
export interface Least {
  readonly seconds: number;
  /** Of all threads, those of a software GPU among them: what others run beside does not count. */
  readonly cpuSeconds: number;
}

export interface TrainCase {
  readonly name: string;
  readonly settings: TrainingSettings;
  /** Tokens of the one document that every step reads. */
  readonly tokens: number;
  /** The first so many layers of the model alone; null: all. */
  readonly layers: number | null;
}

export interface TrainTimes {
  readonly software: boolean;
  readonly forward: Least;
  readonly step: Least;
  /** Of the first step. */
  readonly loss: number;
  readonly plannedBytes: number;
  readonly peakBytes: number;
}

/** A document of made-up tokens with a full row at every position. */
export function makeDocument(tokens: number, vocabSize: number) {
  const ids = Array.from({ length: tokens }, (_, t) => (37 * t + 11) % vocabSize);
  const weights = Array.from({ length: K }, (_, i) => 2 ** -i);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const rows = Array.from({ length: tokens - 1 }, (_, t) =>
    weights.map((weight, i) => [(41 * t + 13 * i) % vocabSize, weight / total] as const),
  );
  return { ids, rows };
}

function recordOf(tokens: number, vocabSize: number): FusedRecord {
  const { ids, rows } = makeDocument(tokens, vocabSize);
  const rest = makeRecord({ seed: 1 });
  return {
    ...rest,
    pivot: {
      ...rest.pivot,
      tokens: { ids: Uint32Array.from(ids), ends: Uint32Array.from(ids, (_, t) => t + 1) },
      positions: Uint32Array.from(rows, (_, t) => t),
    },
    fused: {
      offsets: Uint32Array.from({ length: tokens }, (_, row) => K * row),
      ids: Uint32Array.from(rows.flat(), ([id]) => id),
      values: Float32Array.from(rows.flat(), ([, q]) => q),
    },
    tail: new Float32Array(rows.length),
  };
}

async function withCheckpoint<T>(layers: number | null, use: (model: Checkpoint) => Promise<T>) {
  const { files, close } = await openFiles(FOLDER);
  try {
    const cut = new Map(files);
    const config = files.get("config.json");
    if (layers !== null && config) {
      const text = new TextDecoder().decode(await config.read(0, config.byteLength));
      const changed = JSON.stringify({ ...JSON.parse(text), num_hidden_layers: layers });
      cut.set("config.json", bytesInMemory(new TextEncoder().encode(changed)));
    }
    return await use(await openCheckpoint(cut, "ember-base"));
  } finally {
    await close();
  }
}

/** Works in turn until so many seconds are over, twice at least; the least of each. */
async function timeRounds(seconds: number, works: readonly (() => Promise<unknown>)[]) {
  const best = works.map((): Least => ({ seconds: Infinity, cpuSeconds: Infinity }));
  const begun = performance.now();
  for (let rounds = 0; rounds < 2 || performance.now() - begun < 1000 * seconds; rounds++) {
    for (const [i, work] of works.entries()) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      await work();
      const { user, system } = process.cpuUsage(before);
      const took = (performance.now() - start) / 1000;
      best[i] = {
        seconds: Math.min(took, best[i]!.seconds),
        cpuSeconds: Math.min((user + system) / 1e6, best[i]!.cpuSeconds),
      };
    }
  }
  return best;
}

/** A model and a trainer of one document, on a device of their own. */
async function withTrainer<T>(
  { settings, tokens, layers }: TrainCase,
  use: (parts: {
    gpu: Gpu;
    checkpoint: Checkpoint;
    model: TrainableModel;
    trainer: Trainer;
  }) => Promise<T>,
): Promise<T> {
  const gpu = await (await openGpuProvider()).get();
  return withCheckpoint(layers, async (checkpoint) => {
    const model = await openTrainable(gpu, checkpoint, targetOf(settings), { tokens });
    const record = recordOf(tokens, 1024);
    const documents = { lengths: [tokens], read: async () => record, softLambda: () => 1 };
    const trainer = new Trainer({ gpu, model, documents, settings });
    try {
      return await use({ gpu, checkpoint, model, trainer });
    } finally {
      trainer.release();
      model.release();
      gpu.destroy();
    }
  });
}

/** A step from tokens to updated values beside a forward pass of the same tokens to their losses. */
export function timeTraining(asked: TrainCase, seconds: number): Promise<TrainTimes> {
  return withTrainer(asked, async ({ gpu, checkpoint, model, trainer }) => {
    const { settings, tokens } = asked;
    const { signal } = new AbortController();
    const first = await trainer.step(0, signal); // compiles
    // A run saves its state every now and then.
    for await (const _ of takeSnapshot(gpu, model, trainer.optimiser));
    const { peakBytes } = gpu.pool;
    const none = { lengths: [tokens], read: () => Promise.reject(new Error("unread")) };
    const documents = { vocabSize: 1024, learned: { ...none, softLambda: () => 1 }, heldOut: 0 };
    const plan = planRun(
      checkpoint,
      { ...documents, readHeldOut: async () => [] },
      settings,
      gpu.pool.budgetBytes,
    );
    const decoder = await openDecoder(gpu, checkpoint, { rows: tokens });
    const { ids } = makeDocument(tokens, 1024);
    await readCrossEntropy(gpu, decoder, ids); // compiles
    let step = 1;
    const [forward, whole] = await timeRounds(seconds, [
      () => readCrossEntropy(gpu, decoder, ids),
      async () => {
        await trainer.step(step++, signal);
        await gpu.device.queue.onSubmittedWorkDone();
      },
    ]);
    decoder.release();
    return {
      software: gpu.software,
      loss: first.loss,
      peakBytes,
      forward: forward!,
      step: whole!,
      plannedBytes: plan.bytes.total,
    };
  });
}

/** Milliseconds of processor time (on a GPU: by the clock) and dispatches of every kernel of a step. */
export function timeKernels(asked: TrainCase) {
  return withTrainer(asked, async ({ gpu, trainer }) => {
    const { signal } = new AbortController();
    await trainer.step(0, signal); // compiles
    const sums = new Map<string, { dispatches: number; ms: number }>();
    const add = Recorder.prototype.add;
    // Each dispatch by itself: what is recorded before it is over, and it is waited for.
    Recorder.prototype.add = async function (dispatch) {
      await gpu.device.queue.onSubmittedWorkDone();
      await add.call(this, dispatch);
      const [start, before] = [performance.now(), process.cpuUsage()];
      this.submit();
      await gpu.device.queue.onSubmittedWorkDone();
      const { user, system } = process.cpuUsage(before);
      const ms = gpu.software ? (user + system) / 1000 : performance.now() - start;
      const name = dispatch.shaders.at(-1)!.replace(".wgsl", "");
      const sum = sums.get(name) ?? { dispatches: 0, ms: 0 };
      sums.set(name, { dispatches: sum.dispatches + 1, ms: sum.ms + ms });
    };
    try {
      await trainer.step(1, signal);
    } finally {
      Recorder.prototype.add = add;
    }
    return sums;
  });
}

/** What we compute on. */
export async function adapterName(): Promise<string> {
  const gpu = await (await openGpuProvider()).get();
  gpu.destroy();
  return gpu.name;
}
