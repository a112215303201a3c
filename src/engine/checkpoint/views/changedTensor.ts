import { type DType, EngineError } from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import { fromF32, toF32, toF64 } from "../../core/tensor/convert.ts";
import { byteLength, isOutputDType } from "../../core/tensor/dtype.ts";
import type { Adapter, TrainedRows } from "../adapters/adapter.ts";
import { type CheckpointTensor, readTensor } from "../checkpoint.ts";
import { computedTensor } from "../computedTensor.ts";
import { countsTokens } from "../tensorRoles/role.ts";
import type { TargetOutputs, TensorChange } from "./adapterTargets.ts";
import { addLowRank, readFactor } from "./lowRank.ts";
import { lowRankBlock, measureOutputs, scaleOutputs } from "./lowRankOutputs.ts";

/** Values [first, first + count) of a tensor in float64. */
type Values = (first: number, count: number) => Promise<Float64Array>;

/**
 * The base's tensor with an adapter's changes to it, in the base's dtype: whole values in its place,
 * then W + scale · B · A and DoRA's magnitudes, then single rows.
 */
export function changeTensor(
  name: string,
  change: TensorChange,
  adapter: Adapter,
): CheckpointTensor {
  const { base, replaced, rows, outputs } = change;
  const { quantised, ...plain } = base;
  const template = { ...plain, name };
  let tensor = replaced ? replaceValues(template, replaced, adapter) : template;
  if (outputs.length > 0) {
    tensor = name.endsWith(".bias")
      ? addBiases(tensor, outputs, adapter)
      : addFactors(tensor, outputs, adapter);
  }
  for (const each of rows) tensor = putRows(tensor, each, adapter);
  if (!quantised || replaced) return tensor;
  const rounded = changeTensor(name, { ...change, base: quantised.rounded }, adapter);
  return { ...tensor, quantised: { ...quantised, rounded } };
}

const valuesOf =
  (tensor: CheckpointTensor): Values =>
  async (first, count) => {
    const { dtype } = tensor;
    const start = byteLength(dtype, first);
    return toF64(await readTensor(tensor, start, byteLength(dtype, first + count) - start), dtype);
  };

/** The replacement in the base's dtype; embeddings and heads may have other numbers of rows. */
function replaceValues(
  base: CheckpointTensor,
  replaced: CheckpointTensor,
  adapter: Adapter,
): CheckpointTensor {
  const free = countsTokens(base.name) ? 1 : 0;
  const { shape, elementCount } = replaced;
  if (
    shape.length !== base.shape.length ||
    shape.slice(free).join() !== base.shape.slice(free).join()
  ) {
    throw misfit(adapter, replaced, base);
  }
  return computedTensor({ ...base, shape, elementCount }, valuesOf(replaced));
}

function addFactors(
  tensor: CheckpointTensor,
  outputs: readonly TargetOutputs[],
  adapter: Adapter,
): CheckpointTensor {
  const blocks = outputs.map((each) => lowRankBlock(tensor, each, adapter));
  const width = tensor.elementCount / Math.max(1, tensor.shape[0] ?? 1);
  const stored = valuesOf(tensor);
  const changed: Values = async (first, count) => {
    const values = await stored(first, count);
    for (const block of blocks) {
      const factors = { left: await block.left(), right: await block.right() };
      const target = block.roundsFirst ? new Float64Array(count) : values;
      addLowRank(target, first, width, block, factors);
      if (block.roundsFirst) addRounded(values, target, tensor.dtype);
    }
    return values;
  };
  const scaled = blocks.filter(({ magnitude }) => magnitude !== null);
  if (scaled.length === 0) return computedTensor(tensor, changed);
  let measuring: Promise<readonly Float64Array[]> | null = null;
  return computedTensor(tensor, async (first, count) => {
    measuring ??= measureOutputs(tensor.elementCount, width, scaled, changed);
    const factors = await measuring;
    const values = await changed(first, count);
    for (const [i, block] of scaled.entries())
      scaleOutputs(values, first, width, block, factors[i]!);
    return values;
  });
}

/** Adds a change after rounding it to the dtype. */
function addRounded(values: Float64Array, change: Float64Array, dtype: DType): void {
  const to = isOutputDType(dtype) ? dtype : "F32";
  const rounded = toF32(fromF32(Float32Array.from(change), to), to);
  for (let i = 0; i < values.length; i++) values[i] = values[i]! + rounded[i]!;
}

/** bias + scale · bias of B. */
function addBiases(
  tensor: CheckpointTensor,
  outputs: readonly TargetOutputs[],
  adapter: Adapter,
): CheckpointTensor {
  for (const { module, at, count } of outputs) {
    if (at + count > tensor.elementCount) throw misfit(adapter, module.bias!, tensor);
  }
  const stored = valuesOf(tensor);
  return computedTensor(tensor, async (first, count) => {
    const values = await stored(first, count);
    for (const { module, first: from, at, count: many } of outputs) {
      const bias = await readFactor(module.bias!);
      for (let i = Math.max(0, at - first); i < Math.min(count, at + many - first); i++) {
        values[i] = values[i]! + module.scale * bias[from + first + i - at]!;
      }
    }
    return values;
  });
}

/** Rows of tokens in place of the tensor's own. */
function putRows(
  tensor: CheckpointTensor,
  { rows, values: trained }: TrainedRows,
  adapter: Adapter,
): CheckpointTensor {
  const [height = 0, width = 0] = tensor.shape;
  const outside = rows.find((row) => row >= height);
  if (tensor.shape.length !== 2 || trained.shape[1] !== width || outside !== undefined) {
    throw misfit(adapter, trained, tensor);
  }
  const places = new Map(rows.map((row, i) => [row, i]));
  const stored = valuesOf(tensor);
  return computedTensor(tensor, async (first, count) => {
    const values = await stored(first, count);
    for (let row = Math.floor(first / width); row * width < first + count; row++) {
      const place = places.get(row);
      if (place === undefined) continue;
      const own = (await readFactor(trained)).subarray(place * width, (place + 1) * width);
      const begin = Math.max(first, row * width);
      const end = Math.min(first + count, (row + 1) * width);
      values.set(own.subarray(begin - row * width, end - row * width), begin - first);
    }
    return values;
  });
}

function misfit(adapter: Adapter, own: CheckpointTensor, base: CheckpointTensor): EngineError {
  return new EngineError(
    "bad-shape",
    `${clip(own.name)} of the adapter ${adapter.name} is [${own.shape}], which does not fit ${clip(base.name)}, [${base.shape}]. It was trained on another model${adapter.config.base === null ? "" : `: ${adapter.config.base}`}.`,
    { adapter: adapter.name, tensor: base.name.slice(0, 120), shape: own.shape.join(" × ") },
  );
}
