import { EngineError } from "../../contract/index.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { ResourceScope } from "../../gpu/resourceScope.ts";
import type { TensorLookup } from "../../runtime/decoder/tensorLookup.ts";
import { type Matrix, WeightLoader } from "../../runtime/decoder/weights.ts";
import type { DecoderSpec } from "../../runtime/description/spec.ts";
import { listTensors } from "../../runtime/description/tensors.ts";
import { wholeQuads } from "./alignRows.ts";
import type { Parameter } from "./trainable.ts";

interface Named {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Allocates f32 values in one binding; `gpu-memory` where it is too small. */
export function allocateValues(
  gpu: Gpu,
  label: string,
  count: number,
  scope: ResourceScope,
): GPUBuffer {
  const byteLength = 4 * wholeQuads(count);
  const limit = gpu.device.limits.maxStorageBufferBindingSize;
  if (byteLength > limit) {
    throw new EngineError(
      "gpu-memory",
      `"${label}" takes ${byteLength} bytes in f32, but this GPU binds at most ${limit}: it cannot be trained here.`,
      { tensor: label, byteLength, limit },
    );
  }
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  return scope.keep(gpu.pool.allocate(label, byteLength, STORAGE | COPY_DST | COPY_SRC)).buffer;
}

const countOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

/** A parameter, initialised to zeros. */
export function makeParameter(gpu: Gpu, { name, shape }: Named, scope: ResourceScope): Parameter {
  const count = countOf(shape);
  const value = allocateValues(gpu, name, count, scope);
  return {
    name,
    shape,
    count,
    value,
    gradient: allocateValues(gpu, `gradient of ${name}`, count, scope),
  };
}

/** Loads every tensor as f32 and records its buffer. */
export class MasterLoader extends WeightLoader {
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(gpu: Gpu, lookup: TensorLookup) {
    super(gpu, lookup, true);
  }

  override async matrix(
    name: string,
    rows: number,
    columns: number,
    scope: ResourceScope,
  ): Promise<Matrix> {
    const matrix = await super.matrix(name, rows, columns, scope);
    const [panel, more] = matrix.panels;
    if (!panel || more) {
      throw new EngineError(
        "gpu-memory",
        `"${name}" takes ${4 * rows * columns} bytes in f32, more than one binding of this GPU holds. Train a LoRA instead.`,
        { tensor: name, byteLength: 4 * rows * columns },
      );
    }
    this.#buffers.set(name, panel.buffer);
    return matrix;
  }

  override async vector(name: string, length: number, scope: ResourceScope): Promise<GPUBuffer> {
    const buffer = await super.vector(name, length, scope);
    this.#buffers.set(name, buffer);
    return buffer;
  }

  /** Loaded tensors as parameters with gradients, under the checkpoint's names. */
  parameters(
    gpu: Gpu,
    spec: DecoderSpec,
    lookup: TensorLookup,
    scope: ResourceScope,
  ): readonly Parameter[] {
    return listTensors(spec).map(({ name, shape }) => {
      const count = countOf(shape);
      const value = this.#buffers.get(name) as GPUBuffer;
      const gradient = allocateValues(gpu, `gradient of ${name}`, count, scope);
      return { name: lookup.find(name, shape).name, shape, count, value, gradient };
    });
  }
}
