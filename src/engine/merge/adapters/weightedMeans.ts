import type { Adapter } from "../../checkpoint/adapters/adapter.ts";
import { type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { computedTensor } from "../../checkpoint/computedTensor.ts";
import { EngineError, type OutputDType } from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import { toF64 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import { differ, type Holder, PREFIX, readAll, valuesTensor } from "./holders.ts";

interface WeightedTensor {
  readonly adapter: Adapter;
  readonly weight: number;
  readonly tensor: CheckpointTensor;
}

/** Mean by weight of whole tensors, in the dtype of the first. */
export function meanOf(name: string, holders: readonly WeightedTensor[]): CheckpointTensor {
  const [{ tensor: first, adapter: firstAdapter }] = holders as readonly [WeightedTensor];
  const odd = holders.find(({ tensor }) => tensor.shape.join() !== first.shape.join());
  if (odd)
    throw differ(firstAdapter, odd.adapter, name, `[${first.shape}]`, `[${odd.tensor.shape}]`);
  const shares = meanShares(holders, name);
  return computedTensor({ ...first, name }, async (start, count) => {
    const sum = new Float64Array(count);
    for (const [i, { tensor }] of holders.entries()) {
      const from = byteLength(tensor.dtype, start);
      const bytes = await readTensor(tensor, from, byteLength(tensor.dtype, start + count) - from);
      const values = toF64(bytes, tensor.dtype);
      for (let at = 0; at < count; at++) sum[at] = sum[at]! + shares[i]! * values[at]!;
    }
    return sum;
  });
}

/** Each token's row as the mean by weight over the adapters that trained it. */
export function meanOfRows(
  module: string,
  all: readonly number[],
  holders: readonly Holder<Adapter["rows"][number]>[],
  dtype: OutputDType,
): CheckpointTensor {
  const name = `${PREFIX}${module}.token_adapter.trainable_tokens_delta`;
  const [width = 0] = holders[0]!.own.values.shape.slice(1);
  const odd = holders.find(({ own }) => own.values.shape[1] !== width);
  if (odd)
    throw differ(
      holders[0]!.adapter,
      odd.adapter,
      module,
      `${width} columns`,
      `${odd.own.values.shape[1]}`,
    );
  return valuesTensor(name, [all.length, width], dtype, async () => {
    const merged = new Float64Array(all.length * width);
    const read = await Promise.all(holders.map(({ own }) => readAll(own.values)));
    for (const [place, row] of all.entries()) {
      const having = holders.flatMap((holder, i) => {
        const at = holder.own.rows.indexOf(row);
        return at < 0
          ? []
          : [{ weight: holder.weight, values: read[i]!.subarray(at * width, (at + 1) * width) }];
      });
      for (const [i, share] of meanShares(having, name).entries()) {
        for (let c = 0; c < width; c++) {
          merged[place * width + c] = merged[place * width + c]! + share * having[i]!.values[c]!;
        }
      }
    }
    return merged;
  });
}

/** Shares of a mean by weight; `usage` where the weights cancel. */
function meanShares(holders: readonly { readonly weight: number }[], name: string) {
  const total = holders.reduce((sum, { weight }) => sum + weight, 0);
  if (total !== 0) return holders.map(({ weight }) => weight / total);
  throw new EngineError(
    "usage",
    `${clip(name)} is no change but a value of its own, which takes the mean by weight; the weights of the adapters that have it add up to 0.`,
    { tensor: name.slice(0, 120) },
  );
}
