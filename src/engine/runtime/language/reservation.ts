import type { BufferPool } from "../../gpu/pool.ts";
import type { ForwardOptions, LanguageModel, TokenCache } from "../languageModel.ts";

/**
 * A model for one use of it, with memory set aside for its cache: what another use finds free in
 * between is free. The bytes become the cache's when one is made, and the reservation's again after a
 * forward pass without a cache of the caller's.
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

  /** Ends the use's reservation; the model stays. */
  release(): void {
    this.#ended = true;
    this.#reservation.release();
  }

  /** Less where less is left: then making the cache says so, with its own numbers. */
  #setAside(): { release(): boolean } {
    const free = this.#pool.budgetBytes - this.#pool.usedBytes;
    return this.#pool.reserve("a reservation", Math.max(0, Math.min(this.#cacheBytes, free)));
  }
}
