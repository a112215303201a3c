import type { Tensor } from "onnxruntime-web";
import { EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { Gpu } from "../../gpu/device.ts";
import { checkTokens, type ForwardOptions, type LanguageModel } from "../languageModel.ts";
import { OnnxCache } from "./cache.ts";
import { LogitsRows } from "./logits.ts";
import type { OnnxProvider, OnnxSession } from "./session.ts";

/** An exported decoder, run by ONNX Runtime. Its logits stay on the shared device. */
export class OnnxModel implements LanguageModel {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly provider: OnnxProvider;
  readonly #gpu: Gpu;
  readonly #session: OnnxSession;
  readonly #rows: LogitsRows;
  readonly #reserved: { release(): boolean };
  /** Tokens of one run: their logits must fit one binding of ONNX Runtime's kernels. */
  readonly #runTokens: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly gpu: Gpu;
    readonly session: OnnxSession;
    readonly provider: OnnxProvider;
    readonly vocabSize: number;
    readonly contextLength: number;
    /** GPU memory reserved for the session. */
    readonly reserved: { release(): boolean };
  }) {
    this.#reserved = parts.reserved;
    this.#gpu = parts.gpu;
    this.#session = parts.session;
    this.provider = parts.provider;
    this.vocabSize = parts.vocabSize;
    this.contextLength = parts.contextLength;
    this.#rows = new LogitsRows(parts.gpu, parts.vocabSize);
    const { maxStorageBufferBindingSize } = parts.gpu.device.limits;
    this.#runTokens = Math.max(1, Math.floor(maxStorageBufferBindingSize / (4 * parts.vocabSize)));
  }

  /** A graph does not say whether it could read more. */
  get maxTokens(): number {
    return this.contextLength;
  }

  newCache(capacity: number): OnnxCache {
    return new OnnxCache(capacity);
  }

  forward(ids: readonly number[], options: ForwardOptions): Promise<void> {
    const run = this.#turn.then(() => this.#forward(ids, options));
    this.#turn = run.catch(() => undefined);
    return run;
  }

  async #forward(ids: readonly number[], options: ForwardOptions): Promise<void> {
    if (options.onLayerInput) {
      throw new EngineError(
        "unsupported-architecture",
        `${this.#session.name} is an ONNX export, whose hidden states cannot be read.`,
        { model: this.#session.name },
      );
    }
    const cache = options.cache ?? this.newCache(ids.length);
    invariant(cache instanceof OnnxCache, "a model's caches are its own");
    const { vocabSize } = this;
    const before = cache.length;
    checkTokens(ids, { vocabSize, before, room: cache.capacity });
    const end = before + ids.length;
    const all = [...cache.ids, ...ids];
    const step = this.#stepTokens(end);
    const wanted = options.logits === "all" ? before : end - 1;
    try {
      for (let start = cache.pastLength; start < end; ) {
        options.signal?.throwIfAborted();
        const stop = Math.min(end, start + step);
        const { logits, past } = await this.#session.run(all.slice(start, stop), start, cache.past);
        try {
          cache.append(all.slice(cache.length, stop));
          cache.replacePast(past, past.size > 0 ? stop : 0);
          const from = Math.max(start, wanted);
          if (from < stop)
            await this.#handOut(logits, [from - start, stop - start], from - before, options);
        } finally {
          logits.dispose();
        }
        start = stop;
      }
    } finally {
      if (!options.cache) cache.release();
    }
  }

  /**
   * Tokens per step; `gpu-memory` where a model without a cache would have to compute more at once.
   */
  #stepTokens(tokens: number): number {
    if (this.#session.signature.past.length > 0 || tokens <= this.#runTokens)
      return this.#runTokens;
    throw new EngineError(
      "gpu-memory",
      `${this.#session.name} was exported without past_key_values, so ${tokens} tokens are computed at once, and their logits exceed what this GPU binds; ${this.#runTokens} tokens fit. Export it for text-generation-with-past.`,
      { tokens, maxTokens: this.#runTokens },
    );
  }

  /** Passes on rows [from, to) of a run's logits; `first` is the position of the first. */
  async #handOut(
    logits: Tensor,
    [from, to]: readonly [number, number],
    first: number,
    { onLogits }: ForwardOptions,
  ): Promise<void> {
    invariant(logits.dims[2] === this.vocabSize, "every run gives the same vocabulary");
    for (let row = from; row < to; row += this.#rows.rows) {
      const stop = Math.min(to, row + this.#rows.rows);
      await onLogits(await this.#rows.convert(logits, row, stop, first + row - from));
    }
  }

  release(): void {
    this.#rows.release();
    this.#reserved.release();
    // ONNX Runtime releases memory asynchronously; after a lost device there is nothing to release.
    if (!this.#gpu.isLost) this.#session.release().catch(() => undefined);
  }
}
