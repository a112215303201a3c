import { EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { Gpu } from "../../gpu/device.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import type { DecoderSpec, LayerSpec } from "../description/spec.ts";
import { headQuads } from "../kernels/kernels.ts";
import type { TokenCache } from "../languageModel.ts";

/** Keys and values of one layer, `[position, kvHead, head_dim in whole quads]` in f32. */
export interface KeyValues {
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
}

/** Bytes of one layer's keys for `capacity` tokens; its values take as many. */
function layerBytes({ attention }: LayerSpec, capacity: number): number {
  return capacity * attention.kvHeads * headQuads(attention) * 16;
}

/** Bytes of a cache for `capacity` tokens. */
export function cacheBytes(spec: DecoderSpec, capacity: number): number {
  return spec.layers.reduce((sum, layer) => sum + 2 * layerBytes(layer, capacity), 0);
}

/** Keys and values of all layers on the GPU, and the tokens that they belong to. */
export class KeyValueCache implements TokenCache {
  readonly capacity: number;
  /** Whether the keys were rotated by a long text's factors; see `isLongText`. */
  isLong = false;
  readonly layers: readonly KeyValues[];
  readonly #scope = new ResourceScope();
  readonly #ids: number[] = [];

  /** `gpu-memory` where a layer's keys do not fit one binding, or all of them the budget. */
  constructor(gpu: Gpu, spec: DecoderSpec, capacity: number) {
    this.capacity = capacity;
    const byteLength = Math.max(...spec.layers.map((layer) => layerBytes(layer, capacity)));
    const limit = gpu.device.limits.maxStorageBufferBindingSize;
    if (byteLength > limit) {
      throw new EngineError(
        "gpu-memory",
        `A cache of ${capacity} tokens takes ${byteLength} bytes a layer, but this GPU binds at most ${limit}.`,
        { capacity, byteLength, limit },
      );
    }
    const allocate = (label: string, layer: LayerSpec) => {
      const bytes = layerBytes(layer, capacity);
      return this.#scope.keep(gpu.pool.allocate(label, bytes, GPUBufferUsage.STORAGE)).buffer;
    };
    try {
      this.layers = spec.layers.map((layer, i) => ({
        keys: allocate(`keys of layer ${i}`, layer),
        values: allocate(`values of layer ${i}`, layer),
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

  /** Records tokens whose keys and values were written. */
  append(ids: readonly number[]): void {
    invariant(this.length + ids.length <= this.capacity, "a cache holds what was written into it");
    for (const id of ids) this.#ids.push(id);
  }

  truncate(length: number): void {
    invariant(length >= 0 && length <= this.length, "a cache can only forget");
    this.#ids.length = length;
  }

  release(): void {
    this.#scope.release();
  }
}
