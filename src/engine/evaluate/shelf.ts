import { invariant } from "../base/invariant.ts";
import type { ModelId } from "../contract/index.ts";
import type { Gpu, GpuSource } from "../gpu/device.ts";
import type { JobKind, JobKindName } from "../jobs/kind.ts";
import type { LanguageModel } from "../model/languageModel.ts";
import type { Library } from "../model/library.ts";
import { findRunnable, type LoadOptions, type Runnable } from "./runnable.ts";

/** Tokens that a model is loaded with room for, beside what its first use asks for. */
const USUAL_TOKENS = 1024;

/** A model on the GPU, ready to read. */
export interface OpenLanguage {
  readonly gpu: Gpu;
  readonly model: LanguageModel;
}

export interface UseOptions extends LoadOptions {
  /** Tokens that will be kept in mind at once. */
  readonly tokens: number;
}

/**
 * The models that are loaded. Each stays until another needs its room, its device is lost, or
 * somebody asks for the memory; a model in use is never taken away: who needs its room waits.
 */
export interface Shelf {
  use<T>(model: ModelId, options: UseOptions, work: (open: OpenLanguage) => Promise<T>): Promise<T>;
  /** Gives back the memory of what is not in use. */
  releaseIdle(): void;
  /** The model is deleted, or will be: its memory is given back, at once or after its last use. */
  forget(model: ModelId): void;
}

interface Entry extends OpenLanguage {
  readonly id: ModelId;
  readonly runnable: Runnable;
  users: number;
  /** Released when its last user leaves. */
  doomed: boolean;
}

/** An empty shelf over the library and the one device. */
export function createShelf({
  source,
  library,
}: {
  readonly source: GpuSource;
  readonly library: Pick<Library, "open">;
}): Shelf {
  /** The least recently used first. */
  let entries: readonly Entry[] = [];
  const waiting = new Set<() => void>();
  let turn: Promise<unknown> = Promise.resolve();

  function drop(entry: Entry): void {
    entries = entries.filter((each) => each !== entry);
    entry.doomed = true;
    if (entry.users === 0) entry.model.release();
  }

  function leave(entry: Entry): void {
    entry.users -= 1;
    invariant(entry.users >= 0, "who leaves a model has used it");
    if (entry.users === 0 && entry.doomed) entry.model.release();
    for (const wake of waiting) wake();
    waiting.clear();
  }

  function someoneLeaves({ signal, onLoading }: UseOptions, weightBytes: number): Promise<void> {
    onLoading?.(0, weightBytes, "waiting for the GPU memory that is in use");
    return orAborted(new Promise<void>((resolve) => waiting.add(resolve)), signal);
  }

  async function enter(id: ModelId, options: UseOptions): Promise<Entry> {
    const { signal } = options;
    for (;;) {
      signal?.throwIfAborted();
      const gpu = await source.get();
      for (const entry of entries.filter((each) => each.gpu !== gpu)) drop(entry);
      const known = entries.find((each) => each.id === id);
      const idle = entries.find((each) => each.users === 0 && each !== known);
      if (known) {
        const room = gpu.pool.budgetBytes - gpu.pool.usedBytes;
        const fits = known.runnable.readingBytes(options.tokens) <= room;
        if (!fits && idle) {
          drop(idle);
          continue;
        }
        if (!fits && entries.some(({ users }) => users > 0)) {
          await someoneLeaves(options, known.runnable.weightBytes);
          continue;
        }
        entries = [...entries.filter((each) => each !== known), known];
        known.users += 1;
        return known;
      }
      const runnable = findRunnable(await library.open(id));
      const room = runnable.findRoom(gpu, Math.max(USUAL_TOKENS, options.tokens));
      if (room !== "whole" && idle) {
        drop(idle);
        continue;
      }
      if (room !== "whole" && entries.length > 0) {
        await someoneLeaves(options, runnable.weightBytes);
        continue;
      }
      const model = await runnable.load(gpu, room, options);
      const entry: Entry = { id, gpu, model, runnable, users: 1, doomed: false };
      entries = [...entries, entry];
      return entry;
    }
  }

  /** One after the other: what fits depends on what is loaded. */
  async function takeTurn(id: ModelId, options: UseOptions): Promise<Entry> {
    const entering = turn.then(() => enter(id, options));
    turn = entering.catch(() => undefined);
    try {
      return await orAborted(entering, options.signal);
    } catch (error) {
      // Given up while it was loading: if it came in after all, it leaves again.
      entering.then(leave, () => undefined);
      throw error;
    }
  }

  return {
    async use(id, options, work) {
      const entry = await takeTurn(id, options);
      try {
        return await work(entry);
      } finally {
        leave(entry);
      }
    },
    releaseIdle() {
      for (const entry of entries.filter(({ users }) => users === 0)) drop(entry);
    },
    forget(id) {
      for (const entry of entries.filter((each) => each.id === id)) drop(entry);
    },
  };
}

/** A merge takes what is free of the GPU's budget: models that only wait to be used give way. */
export function withRoom<K extends JobKindName, S>(
  shelf: Shelf,
  kind: JobKind<K, S>,
): JobKind<K, S> {
  return {
    ...kind,
    run(request, context) {
      shelf.releaseIdle();
      return kind.run(request, context);
    },
  };
}

/** The result, unless the signal aborts first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
