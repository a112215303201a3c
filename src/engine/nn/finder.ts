import { EngineError } from "../contract/index.ts";
import type { Checkpoint, CheckpointTensor } from "../model/checkpoint.ts";
import { bitsPerElement, isOutputDType, mergeRole } from "../tensor/dtype.ts";

/** Finds a decoder's tensors in a checkpoint and checks that they are what its config calls for. */
export class TensorFinder {
  readonly #checkpoint: Checkpoint;
  readonly #optionalPrefix: string;

  constructor(checkpoint: Checkpoint, optionalPrefix: string) {
    this.#checkpoint = checkpoint;
    this.#optionalPrefix = optionalPrefix;
  }

  /** A tensor by name, with or without the optional prefix, of exactly this shape. */
  find(name: string, shape: readonly number[]): CheckpointTensor {
    const { tensors, name: model } = this.#checkpoint;
    const short = name.startsWith(this.#optionalPrefix)
      ? name.slice(this.#optionalPrefix.length)
      : name;
    const tensor = tensors.get(name) ?? tensors.get(short);
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

  /** Bytes a matrix will take on the GPU. */
  matrixBytes(name: string, rows: number, columns: number): number {
    const { dtype } = this.find(name, [rows, columns]);
    return Math.ceil((rows * columns * storedBytes(dtype)) / 16) * 16;
  }
}

/** Bytes of an element on the GPU: what no kernel reads is widened to f32. */
export function storedBytes(dtype: CheckpointTensor["dtype"]): number {
  return isOutputDType(dtype) ? bitsPerElement(dtype) / 8 : 4;
}
