import type { Tensor } from "onnxruntime-web";
import { invariant } from "../../core/invariant.ts";
import type { TokenCache } from "../languageModel.ts";

/**
 * Tokens read so far, and the keys and values that the last run returned for the first of them.
 * Missing ones are computed again, so models without a cache work the same, only slower.
 */
export class OnnxCache implements TokenCache {
  readonly capacity: number;
  readonly #ids: number[] = [];
  #past: ReadonlyMap<string, Tensor> = new Map();
  /** Tokens in `past`. */
  #pastLength = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get length(): number {
    return this.#ids.length;
  }

  get ids(): readonly number[] {
    return this.#ids;
  }

  get past(): ReadonlyMap<string, Tensor> {
    return this.#past;
  }

  get pastLength(): number {
    return this.#pastLength;
  }

  /** Replaces the keys and values by those of a run, for all tokens up to `length`. */
  replacePast(past: ReadonlyMap<string, Tensor>, length: number): void {
    for (const tensor of this.#past.values()) tensor.dispose();
    this.#past = past;
    this.#pastLength = length;
  }

  append(ids: readonly number[]): void {
    invariant(this.length + ids.length <= this.capacity, "a cache holds what was read into it");
    for (const id of ids) this.#ids.push(id);
  }

  truncate(length: number): void {
    invariant(length >= 0 && length <= this.length, "a cache can only forget");
    this.#ids.length = length;
    // Cutting tensors would need a kernel of its own.
    if (this.#pastLength > length) this.replacePast(new Map(), 0);
  }

  release(): void {
    this.replacePast(new Map(), 0);
  }
}
