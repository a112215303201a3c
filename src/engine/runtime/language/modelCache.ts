import type { LibraryReader } from "../../checkpoint/library/library.ts";
import type { ModelId } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { JobKind, JobKindName } from "../../core/jobs/kind.ts";
import type { Gpu, GpuProvider } from "../../gpu/device.ts";
import { type GpuSpace, spaceOn } from "../../gpu/space.ts";
import type { LanguageModel } from "../languageModel.ts";
import { findRunnable } from "./findRunnable.ts";
import { ReservedModel } from "./reservation.ts";
import { type LoadOptions, type Room, type Runnable, USUAL_TOKENS } from "./runnable.ts";

/** A loaded model, ready for use. */
export interface OpenLanguage {
  readonly gpu: Gpu;
  readonly model: LanguageModel;
}

export interface UseOptions extends LoadOptions {
  /** Largest number of tokens in its cache. */
  readonly tokens: number;
}

/**
 * Cache of the loaded models. A model stays until another needs its memory, its device is lost, or
 * `releaseIdle` is called; models in use are never unloaded, and a use that needs their memory
 * waits. The memory of a use is reserved before the next use looks for room. A model with streamed
 * layers has the GPU, and one user, to itself.
 */
export interface ModelCache {
  use<T>(model: ModelId, options: UseOptions, work: (open: OpenLanguage) => Promise<T>): Promise<T>;
  /** Frees the memory of models that are not in use. */
  releaseIdle(): void;
  /** Unloads a deleted model, now or after its last use. */
  forget(model: ModelId): void;
}

interface Entry extends OpenLanguage {
  readonly id: ModelId;
  readonly runnable: Runnable;
  readonly room: Room;
  users: number;
  /** Bytes of temporary buffers during use, over all users. */
  passingBytes: number;
  /** Whether the model is released when its last user leaves. */
  doomed: boolean;
}

/** One use of a cached model. */
interface Visit {
  readonly entry: Entry;
  readonly model: ReservedModel;
  readonly passing: number;
}

/** An empty model cache over the library and the device. */
export function createModelCache({
  gpuProvider,
  library,
}: {
  readonly gpuProvider: Pick<GpuProvider, "get">;
  readonly library: Pick<LibraryReader, "open">;
}): ModelCache {
  /** Entries, the least recently used first. */
  let entries: readonly Entry[] = [];
  const waiting = new Set<() => void>();
  let turn: Promise<unknown> = Promise.resolve();

  function drop(entry: Entry): void {
    entries = entries.filter((each) => each !== entry);
    entry.doomed = true;
    if (entry.users === 0) entry.model.release();
  }

  function leave({ entry, model, passing }: Visit): void {
    model.release();
    entry.passingBytes -= passing;
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

  /** Free GPU memory after the reservations of present users. */
  function spaceLeft(gpu: Gpu): GpuSpace {
    const space = spaceOn(gpu);
    const passing = entries.reduce((sum, entry) => sum + entry.passingBytes, 0);
    return { ...space, freeBytes: space.freeBytes - passing };
  }

  /** Whether another model must be unloaded first. */
  function isCrowded(gpu: Gpu, known: Entry | undefined, room: Room, tokens: number): boolean {
    if (!known) return room !== "whole" || entries.some((each) => each.room !== "whole");
    if (known.room !== "whole") return known.users > 0;
    const { cache, passing } = known.runnable.readingBytes(tokens);
    return cache + passing > spaceLeft(gpu).freeBytes;
  }

  async function enter(id: ModelId, options: UseOptions): Promise<Visit> {
    const { signal, tokens } = options;
    for (;;) {
      signal?.throwIfAborted();
      const gpu = await gpuProvider.get();
      for (const entry of entries.filter((each) => each.gpu !== gpu)) drop(entry);
      const known = entries.find((each) => each.id === id);
      const runnable = known?.runnable ?? findRunnable(await library.open(id));
      const room = known?.room ?? runnable.findRoom(spaceLeft(gpu), Math.max(USUAL_TOKENS, tokens));
      if (isCrowded(gpu, known, room, tokens)) {
        const idle = entries.find((each) => each.users === 0 && each !== known);
        if (idle) {
          drop(idle);
          continue;
        }
        if (entries.some(({ users }) => users > 0)) {
          await someoneLeaves(options, runnable.weightBytes);
          continue;
        }
      }
      const entry = known ?? (await load(id, gpu, runnable, room, options));
      entries = [...entries.filter((each) => each !== entry), entry];
      return visit(entry, tokens);
    }
  }

  async function load(
    id: ModelId,
    gpu: Gpu,
    runnable: Runnable,
    room: Room,
    options: UseOptions,
  ): Promise<Entry> {
    const model = await runnable.load(gpu, room, options);
    return { id, gpu, model, runnable, room, users: 0, passingBytes: 0, doomed: false };
  }

  function visit(entry: Entry, tokens: number): Visit {
    const { cache, passing } = entry.runnable.readingBytes(tokens);
    // A streamed model needs no reservation: the memory is for its next layer.
    const reserved = entry.room === "whole" ? cache : 0;
    entry.users += 1;
    entry.passingBytes += passing;
    return { entry, passing, model: new ReservedModel(entry.model, entry.gpu.pool, reserved) };
  }

  /** Uses are admitted one after the other, since what fits depends on what is loaded. */
  async function takeTurn(id: ModelId, options: UseOptions): Promise<Visit> {
    const entering = turn.then(() => enter(id, options));
    turn = entering.catch(() => undefined);
    try {
      return await orAborted(entering, options.signal);
    } catch (error) {
      // A use that was given up while loading leaves once loaded.
      entering.then(leave, () => undefined);
      throw error;
    }
  }

  return {
    async use(id, options, work) {
      const here = await takeTurn(id, options);
      try {
        return await work({ gpu: here.entry.gpu, model: here.model });
      } finally {
        leave(here);
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

/** Runs a merge with the free GPU memory, after unloading idle models. */
export function withRoom<K extends JobKindName, S>(
  modelCache: ModelCache,
  kind: JobKind<K, S>,
): JobKind<K, S> {
  return {
    ...kind,
    run(request, context) {
      modelCache.releaseIdle();
      return kind.run(request, context);
    },
  };
}

/** Result of the work, unless the signal aborts first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
