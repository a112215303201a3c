import { invariant } from "../../core/invariant.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import type { NormTensors, Projection } from "../description/spec.ts";
import type { TensorShape } from "../description/tensors.ts";
import type { Matrix, WeightLoader } from "./weights.ts";

export interface LoadedProjection {
  readonly spec: Projection;
  readonly matrix: Matrix;
  readonly bias: GPUBuffer | null;
}

export interface LoadedNorm {
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer | null;
}

/** Weights on the GPU by the architecture's names: those of a layer, or of a decoder's ends. */
export class LoadedWeights {
  readonly #matrices = new Map<string, Matrix>();
  readonly #vectors = new Map<string, GPUBuffer>();
  readonly #scope = new ResourceScope();

  /** Loads the listed tensors; when one fails, all are released. Errors: those of the loader. */
  static async load(loader: WeightLoader, tensors: readonly TensorShape[]): Promise<LoadedWeights> {
    const loaded = new LoadedWeights();
    try {
      for (const tensor of tensors) await loaded.#load(loader, tensor);
      return loaded;
    } catch (error) {
      loaded.release();
      throw error;
    }
  }

  async #load(loader: WeightLoader, { name, shape }: TensorShape): Promise<void> {
    const [rows, columns] = shape;
    if (columns === undefined) {
      this.#vectors.set(name, await loader.vector(name, rows, this.#scope));
    } else {
      this.#matrices.set(name, await loader.matrix(name, rows, columns, this.#scope));
    }
  }

  matrix(name: string): Matrix {
    const matrix = this.#matrices.get(name);
    invariant(matrix !== undefined, `the matrix "${name}" is among the tensors listed`);
    return matrix;
  }

  vector(name: string): GPUBuffer {
    const vector = this.#vectors.get(name);
    invariant(vector !== undefined, `the vector "${name}" is among the tensors listed`);
    return vector;
  }

  norm({ weight, bias }: NormTensors): LoadedNorm {
    return { weight: this.vector(weight), bias: bias === null ? null : this.vector(bias) };
  }

  projection(spec: Projection): LoadedProjection {
    const bias = spec.bias === null ? null : this.vector(spec.bias);
    return { spec, matrix: this.matrix(spec.weight), bias };
  }

  release(): void {
    this.#scope.release();
  }
}
