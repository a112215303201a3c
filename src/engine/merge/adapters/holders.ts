import type { Adapter } from "../../checkpoint/adapters/adapter.ts";
import { type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { computedTensor } from "../../checkpoint/computedTensor.ts";
import { EngineError, type OutputDType } from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import { toF64 } from "../../core/tensor/convert.ts";

/** What PEFT writes before the names of the model that it wraps. */
export const PREFIX = "base_model.model.";

/** What an adapter has of one key, with the adapter's weight. */
export interface Holder<T> {
  readonly adapter: Adapter;
  readonly weight: number;
  readonly own: T;
}

/** All values of a tensor in float64. */
export const readAll = async (tensor: CheckpointTensor) =>
  toF64(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);

/** A tensor whose values are computed at once, and kept while they are read. */
export function valuesTensor(
  name: string,
  shape: readonly number[],
  dtype: OutputDType,
  compute: () => Promise<Float64Array>,
): CheckpointTensor {
  const elementCount = shape.reduce((product, axis) => product * axis, 1);
  const source = { byteLength: 0, read: async () => new Uint8Array() };
  const card = { name, dtype, shape, elementCount, byteLength: 0, file: "", source, start: 0 };
  let values: Promise<Float64Array> | null = null;
  return computedTensor(card, async (first, count) => {
    values ??= compute();
    const part = (await values).slice(first, first + count);
    if (first + count === elementCount) values = null;
    return part;
  });
}

/** Error for adapters that hold different things under one name. */
export function differ(
  a: Adapter,
  b: Adapter,
  module: string,
  first: string,
  other: string,
): EngineError {
  return new EngineError(
    "mismatch",
    `${clip(module)} is ${first} in ${a.name}, and ${other} in ${b.name}: adapters of one base are merged.`,
    { module: module.slice(0, 120), adapter: a.name, other: b.name },
  );
}
