import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { EngineError, type TrainingPoint, type TrainingSettings } from "../contract/index.ts";
import type { Gpu, GpuProvider } from "../gpu/device.ts";
import { goOnAfterLosses } from "../gpu/lostDevice.ts";
import { openTrainable } from "./backward/openTrainable.ts";
import type { LoraTarget, TrainTarget } from "./backward/target.ts";
import type { TrainableModel } from "./backward/trainable.ts";
import type { PartedDocuments } from "./documents.ts";
import { restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import { readHeldOut, Trainer } from "./trainer.ts";

/** Store of a training's state: the next step, and the pieces of its parameters and moments. */
export interface TrainingStore {
  /** Last complete state, or null. */
  load(): Promise<{
    readonly step: number;
    readonly pieces: AsyncIterable<Uint8Array<ArrayBuffer>>;
  } | null>;
  /** Stores a state durably; earlier ones may be deleted. */
  save(step: number, pieces: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<void>;
}

export interface TrainingOptions {
  readonly gpuProvider: GpuProvider;
  readonly pivot: Checkpoint;
  readonly documents: PartedDocuments;
  readonly settings: TrainingSettings;
  readonly store: TrainingStore;
  readonly signal: AbortSignal;
  /** Called before the first step with the held-out bits per byte. */
  onStart?(heldOut: number | null, steps: number): Promise<void> | void;
  /** Called after each step, and again when held-out documents were read after it. */
  onPoint?(point: TrainingPoint): Promise<void> | void;
}

/** Milliseconds of work that a crash can cost. */
const SAVE_MS = 15_000;

/** LoRA of the settings, whatever their mode. */
export function loraOf(settings: TrainingSettings): LoraTarget {
  const { modules, rank, alpha, rslora, dropout, seed } = settings;
  return { kind: "lora", modules, rank, alpha, rslora, dropout, seed };
}

/** Training target of the settings. */
export function targetOf(settings: TrainingSettings): TrainTarget {
  return settings.mode === "full" ? { kind: "full" } : loraOf(settings);
}

/**
 * Trains from where the store says, and hands the trained model to `work` before it is released. A
 * lost device costs what was done since the last saved state, and not a bit of the trajectory.
 */
export async function runTraining<T>(
  options: TrainingOptions,
  work: (trained: { readonly gpu: Gpu; readonly model: TrainableModel }) => Promise<T>,
): Promise<T> {
  let reached = -1;
  const reach = (step: number) => {
    reached = Math.max(reached, step);
  };
  return goOnAfterLosses(
    () => trainOnce(options, work, reach),
    () => reached,
  );
}

async function trainOnce<T>(
  { gpuProvider, pivot, documents, settings, store, signal, onStart, onPoint }: TrainingOptions,
  work: (trained: { readonly gpu: Gpu; readonly model: TrainableModel }) => Promise<T>,
  reach: (step: number) => void,
): Promise<T> {
  const gpu = await gpuProvider.get();
  const tokens = settings.sequenceTokens;
  const model = await openTrainable(gpu, pivot, targetOf(settings), { tokens, signal });
  let trainer: Trainer | null = null;
  try {
    trainer = new Trainer({ gpu, model, documents: documents.learned, settings });
    const { optimiser, order } = trainer;
    if (order.steps === 0) {
      throw new EngineError("usage", "There is nothing to learn: no document has two tokens.");
    }
    const kept = await store.load();
    if (kept) await restoreSnapshot(gpu, model, optimiser, kept.pieces);
    const heldOut = await documents.readHeldOut();
    const readNow = () => readHeldOut(model, heldOut, settings, signal);
    if (!kept) await onStart?.(await readNow(), order.steps);
    let saved = kept?.step ?? 0;
    let savedAt = Date.now();
    const save = async (step: number) => {
      if (step > saved) await store.save(step, takeSnapshot(gpu, model, optimiser));
      saved = step;
      savedAt = Date.now();
    };
    let done = saved;
    try {
      while (done < order.steps) {
        const point = await trainer.step(done, signal);
        done = point.step;
        reach(done);
        await onPoint?.(point);
        const { evaluateEvery } = settings;
        const due = evaluateEvery > 0 && done % evaluateEvery === 0;
        if (due || done === order.steps) await onPoint?.({ ...point, heldOut: await readNow() });
        if (Date.now() - savedAt > SAVE_MS) await save(done);
      }
      await save(done);
    } catch (error) {
      // A pause keeps every finished step; an interrupted step has changed nothing.
      if (signal.aborted) await save(done);
      throw error;
    }
    return await work({ gpu, model });
  } finally {
    trainer?.release();
    model.release();
  }
}
