import { EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { PooledBuffer } from "../../gpu/pool.ts";
import type { DecoderSpec } from "../description/spec.ts";
import { headQuads } from "../kernels/kernels.ts";
import type { TokenCache } from "../languageModel.ts";

/** One layer's keys and values, `[position, kvHead, head_dim in whole quads]` in f32. */
export interface KeyValues {
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
}

/** Bytes that one layer's keys take for `capacity` tokens; its values take as many. */
function layerBytes({ attention }: DecoderSpec, capacity: number): number {
  return capacity * attention.kvHeads * headQuads(attention) * 16;
}

/** Bytes that a cache for `capacity` tokens takes. */
export function cacheBytes(spec: DecoderSpec, capacity: number): number {
  return 2 * spec.layers.length * layerBytes(spec, capacity);
}

/** Keys and values of all layers on the GPU, and the tokens that they are of. */
export class KeyValueCache implements TokenCache {
  readonly capacity: number;
  /** Whether the keys were turned as in a long text; see `isLongText`. */
  isLong = false;
  readonly layers: readonly KeyValues[];
  readonly #buffers: PooledBuffer[] = [];
  readonly #ids: number[] = [];

  /** `gpu-memory` where a layer's keys do not fit one binding, or all of them the budget. */
  constructor(gpu: Gpu, spec: DecoderSpec, capacity: number) {
    this.capacity = capacity;
    const byteLength = layerBytes(spec, capacity);
    const limit = gpu.device.limits.maxStorageBufferBindingSize;
    if (byteLength > limit) {
      throw new EngineError(
        "gpu-memory",
        `A cache of ${capacity} tokens takes ${byteLength} bytes a layer, but this GPU binds at most ${limit}.`,
        { capacity, byteLength, limit },
      );
    }
    const allocate = (label: string) => {
      const pooled = gpu.pool.allocate(label, byteLength, GPUBufferUsage.STORAGE);
      this.#buffers.push(pooled);
      return pooled.buffer;
    };
    try {
      this.layers = spec.layers.map((_, i) => ({
        keys: allocate(`keys of layer ${i}`),
        values: allocate(`values of layer ${i}`),
      }));
    } catch (error) {
      this.release();
      throw error;
    }
  }

  get length(): number {
    return this.#ids.length;
  }

  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Counts tokens whose keys and values were written. */
  append(ids: readonly number[]): void {
    invariant(this.length + ids.length <= this.capacity, "a cache holds what was written into it");
    for (const id of ids) this.#ids.push(id);
  }

  truncate(length: number): void {
    invariant(length >= 0 && length <= this.length, "a cache can only forget");
    this.#ids.length = length;
  }

  release(): void {
    for (const buffer of this.#buffers) buffer.release();
  }
}
