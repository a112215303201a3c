import {
  type Checkpoint,
  type CheckpointTensor,
  roundedTensor,
} from "../../checkpoint/checkpoint.ts";
import { EngineError } from "../../contract/index.ts";
import { isOutputDType, mergeRole } from "../../core/tensor/dtype.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";

/** Finds a decoder's tensors in a checkpoint and checks that they are what its config calls for. */
export class TensorLookup {
  readonly #checkpoint: Checkpoint;
  readonly #optionalPrefix: string;

  constructor(checkpoint: Checkpoint, optionalPrefix: string) {
    this.#checkpoint = checkpoint;
    this.#optionalPrefix = optionalPrefix;
  }

  /** A tensor by name, with or without the optional prefix. */
  #lookUp(name: string): CheckpointTensor | undefined {
    const { tensors } = this.#checkpoint;
    const short = name.startsWith(this.#optionalPrefix)
      ? name.slice(this.#optionalPrefix.length)
      : name;
    const tensor = tensors.get(name) ?? tensors.get(short);
    return tensor && roundedTensor(tensor);
  }

  has(name: string): boolean {
    return this.#lookUp(name) !== undefined;
  }

  /** A tensor of exactly this shape. */
  find(name: string, shape: readonly number[]): CheckpointTensor {
    const { name: model } = this.#checkpoint;
    const tensor = this.#lookUp(name);
    if (!tensor) {
      throw new EngineError(
        "missing-tensor",
        `${model} has no tensor "${name}", which its config.json calls for.`,
        { model, tensor: name },
      );
    }
    if (tensor.shape.join() !== shape.join()) {
      throw new EngineError(
        "bad-shape",
        `"${name}" of ${model} is ${tensor.shape.join(" × ")}, but its config.json calls for ${shape.join(" × ")}.`,
        { model, tensor: name },
      );
    }
    const role = mergeRole(tensor.dtype);
    if (role !== "gpu" && role !== "convert") {
      throw new EngineError(
        "bad-dtype",
        `"${name}" of ${model} is ${tensor.dtype}; weights must be floating-point numbers to be run.`,
        { model, tensor: name, dtype: tensor.dtype },
      );
    }
    return tensor;
  }

  /** Bytes that a tensor will take on the GPU: a matrix as it is kept, a vector as f32. */
  bytes(name: string, shape: readonly number[]): number {
    const tensor = this.find(name, shape);
    const format = shape.length === 1 ? PLAIN_FORMATS.F32 : keptFormat(tensor);
    const count = shape.reduce((product, n) => product * n, 1);
    return Math.ceil(formatBytes(format, count) / 16) * 16;
  }
}

/** How a matrix is kept on the GPU: as it is stored; what no kernel reads is widened to f32. */
export function keptFormat({ dtype }: CheckpointTensor): WeightFormat {
  return PLAIN_FORMATS[isOutputDType(dtype) ? dtype : "F32"];
}
