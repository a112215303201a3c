import type { BufferPool } from "../../gpu/pool.ts";
import type { ForwardOptions, LanguageModel, TokenCache } from "../languageModel.ts";

/**
 * A model for one use of it, with memory reserved for its cache, so that another use cannot take
 * it. The reservation becomes the cache when one is made, and a reservation again after a forward
 * pass that made its own.
 */
export class ReservedModel implements LanguageModel {
  readonly #model: LanguageModel;
  readonly #pool: BufferPool;
  readonly #cacheBytes: number;
  #reservation: { release(): boolean };
  #ended = false;

  constructor(model: LanguageModel, pool: BufferPool, cacheBytes: number) {
    this.#model = model;
    this.#pool = pool;
    this.#cacheBytes = cacheBytes;
    this.#reservation = this.#setAside();
  }

  get vocabSize(): number {
    return this.#model.vocabSize;
  }

  get contextLength(): number {
    return this.#model.contextLength;
  }

  get maxTokens(): number {
    return this.#model.maxTokens;
  }

  newCache(capacity: number): TokenCache {
    this.#reservation.release();
    return this.#model.newCache(capacity);
  }

  async forward(ids: readonly number[], options: ForwardOptions): Promise<void> {
    if (options.cache) return this.#model.forward(ids, options);
    const cache = this.newCache(ids.length);
    try {
      await this.#model.forward(ids, { ...options, cache });
    } finally {
      cache.release();
      this.#reservation.release();
      if (!this.#ended) this.#reservation = this.#setAside();
    }
  }

  /** Ends the reservation; the model stays loaded. */
  release(): void {
    this.#ended = true;
    this.#reservation.release();
  }

  /** Reserves less where less is free: making the cache then fails with its own numbers. */
  #setAside(): { release(): boolean } {
    const free = this.#pool.budgetBytes - this.#pool.usedBytes;
    return this.#pool.reserve("a reservation", Math.max(0, Math.min(this.#cacheBytes, free)));
  }
}
