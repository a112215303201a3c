import {
  type Checkpoint,
  type CheckpointTensor,
  roundedTensor,
} from "../../checkpoint/checkpoint.ts";
import { EngineError } from "../../contract/index.ts";
import { isOutputDType, mergeRole } from "../../core/tensor/dtype.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";

/** Looks up a decoder's tensors in a checkpoint and checks them against its config. */
export class TensorLookup {
  readonly #checkpoint: Checkpoint;
  readonly #optionalPrefix: string;

  constructor(checkpoint: Checkpoint, optionalPrefix: string) {
    this.#checkpoint = checkpoint;
    this.#optionalPrefix = optionalPrefix;
  }

  /** Tensor of a name, with or without the optional prefix. */
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

  /** Tensor of a name with exactly this shape. */
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

  /** Bytes of a tensor on the GPU: a matrix as kept, a vector in f32. */
  bytes(name: string, shape: readonly number[]): number {
    const tensor = this.find(name, shape);
    const format = shape.length === 1 ? PLAIN_FORMATS.F32 : keptFormat(tensor);
    const count = shape.reduce((product, n) => product * n, 1);
    return Math.ceil(formatBytes(format, count) / 16) * 16;
  }
}

/** Format of a matrix on the GPU: as stored, or f32 where no kernel reads that. */
export function keptFormat({ dtype }: CheckpointTensor): WeightFormat {
  return PLAIN_FORMATS[isOutputDType(dtype) ? dtype : "F32"];
}
