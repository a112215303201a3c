import type { Adapter, LowRankModule } from "../../checkpoint/adapters/adapter.ts";
import type { CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import { readTensor } from "../../checkpoint/checkpoint.ts";
import { computedTensor } from "../../checkpoint/computedTensor.ts";
import {
  type AdapterMergeRequest,
  type AdapterMethod,
  EngineError,
  type OutputDType,
} from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import { toF64 } from "../../core/tensor/convert.ts";
import { byteLength, isOutputDType } from "../../core/tensor/dtype.ts";
import { type Factors, mergedRank, mergeFactors, type Share } from "./factors.ts";
import { transposed } from "./matrix.ts";

/** An adapter with its weight in the merge. */
export interface WeightedAdapter {
  readonly adapter: Adapter;
  readonly weight: number;
}

/** A module of the merged adapter. */
export interface MergedModule {
  readonly module: string;
  readonly rank: number;
  readonly scale: number;
}

/** Rows of single tokens of the merged adapter. */
export interface MergedRows {
  readonly module: string;
  readonly rows: readonly number[];
}

/** The merged adapter's tensors, which are computed as they are read. */
export interface MergedAdapter {
  readonly tensors: readonly CheckpointTensor[];
  readonly modules: readonly MergedModule[];
  readonly rows: readonly MergedRows[];
}

export type MergeSettings = Pick<AdapterMergeRequest, "density" | "rank" | "seed" | "vote">;

const PREFIX = "base_model.model.";

/**
 * Merges adapters, module by module; what a module is merged from are the adapters that have it.
 * Whole tensors, magnitudes and token rows stand for values, not changes, and take the mean by
 * weight. Nothing is read before a tensor is. `mismatch` for adapters of different models.
 */
export function mergeAdapters(
  adapters: readonly WeightedAdapter[],
  method: AdapterMethod,
  settings: MergeSettings,
): MergedAdapter {
  const dtype = commonDType(adapters);
  const tensors: CheckpointTensor[] = [];
  const modules: MergedModule[] = [];
  for (const [module, holders] of byKey(
    adapters,
    ({ modules: own }) => own,
    (it) => it.module,
  )) {
    const merged = mergeModule(holders, method, settings, { dtype, draw: modules.length });
    modules.push({ module, rank: merged.rank, scale: merged.scale });
    tensors.push(...merged.tensors);
  }
  const rows: MergedRows[] = [];
  for (const [module, holders] of byKey(
    adapters,
    (it) => it.rows,
    (it) => it.module,
  )) {
    const all = [...new Set(holders.flatMap(({ own }) => own.rows))].sort((a, b) => a - b);
    rows.push({ module, rows: all });
    tensors.push(meanOfRows(module, all, holders, dtype));
  }
  const whole = byKey(
    adapters,
    ({ replaced }) => [...replaced],
    ([name]) => name,
  );
  for (const holders of whole.values()) {
    const own = holders.map(({ own: [, tensor], ...rest }) => ({ ...rest, tensor }));
    tensors.push(meanOf(own[0]!.tensor.name, own)); // as PEFT wrote it, behind a `base_layer` or not
  }
  return { tensors, modules, rows };
}

/** What an adapter has of one key, with the adapter's weight. */
interface Holder<T> {
  readonly adapter: Adapter;
  readonly weight: number;
  readonly own: T;
}

function byKey<T>(
  adapters: readonly WeightedAdapter[],
  list: (adapter: Adapter) => readonly T[],
  keyOf: (own: T) => string,
): ReadonlyMap<string, readonly Holder<T>[]> {
  const found = new Map<string, Holder<T>[]>();
  for (const { adapter, weight } of adapters) {
    for (const own of list(adapter)) {
      const holders = found.get(keyOf(own)) ?? [];
      holders.push({ adapter, weight, own });
      found.set(keyOf(own), holders);
    }
  }
  return found;
}

/** Dtype of all factors, F32 where they have several. */
function commonDType(adapters: readonly WeightedAdapter[]): OutputDType {
  const found = new Set(
    adapters.flatMap(({ adapter }) => adapter.modules.flatMap(({ a, b }) => [a.dtype, b.dtype])),
  );
  const [dtype] = found;
  return found.size === 1 && dtype !== undefined && isOutputDType(dtype) ? dtype : "F32";
}

function mergeModule(
  holders: readonly Holder<LowRankModule>[],
  method: AdapterMethod,
  settings: MergeSettings,
  { dtype, draw }: { readonly dtype: OutputDType; readonly draw: number },
) {
  const [{ own: first }] = holders as readonly [Holder<LowRankModule>];
  for (const { own } of holders) requireAlike(holders[0]!, own, holders);
  const ranks = holders.map(({ own }) => own.rank);
  if (method.space === "factors") requireOneRank(holders, method);
  const rank = mergedRank(method, ranks, first, settings.rank);
  const scale = holders.every(({ own }) => own.scale === first.scale) ? first.scale : 1;
  const compute = async (): Promise<Factors> => {
    const shares: Share[] = [];
    for (const { own, weight } of holders) shares.push(await readShare(own, weight, scale));
    return mergeFactors(method, shares, rank, settings, draw);
  };
  const stem = `${PREFIX}${first.module}.lora_${first.kind === "embedding" ? "embedding_" : ""}`;
  const suffix = first.kind === "embedding" ? "" : ".weight";
  // Both factors are read one after the other: the computed pair is kept until then.
  let made: Promise<Factors> | null = null;
  const once = () => (made ??= compute());
  const a = valuesTensor(
    `${stem}A${suffix}`,
    [rank, ...first.a.shape.slice(1)],
    dtype,
    async () => {
      return (await once()).a.values;
    },
  );
  const b = valuesTensor(
    `${stem}B${suffix}`,
    [first.outputs, rank, ...first.b.shape.slice(2)],
    dtype,
    async () => {
      const { bt } = await once();
      made = null;
      return transposed(bt).values;
    },
  );
  const biases = holders.some(({ own }) => own.bias)
    ? [biasTensor(`${stem}B.bias`, holders, scale, dtype)]
    : [];
  const magnitudes = first.magnitude
    ? [
        meanOf(
          `${PREFIX}${first.module}.lora_magnitude_vector`,
          holders.map(({ own, ...rest }) => ({ ...rest, tensor: own.magnitude! })),
        ),
      ]
    : [];
  return { rank, scale, tensors: [a, b, ...biases, ...magnitudes] };
}

async function readShare(own: LowRankModule, weight: number, scale: number): Promise<Share> {
  const { rank, inputs, outputs } = own;
  const a = { rows: rank, columns: inputs, values: await readAll(own.a) };
  const b = { rows: outputs, columns: rank, values: await readAll(own.b) };
  return { a, bt: transposed(b), scale: own.scale / scale, weight };
}

const readAll = async (tensor: CheckpointTensor) =>
  toF64(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);

/** A tensor whose values are computed at once, and kept while they are read. */
function valuesTensor(
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

/** Σ weight · scale · bias, divided by the result's scale; adapters without a bias have zeros. */
function biasTensor(
  name: string,
  holders: readonly Holder<LowRankModule>[],
  scale: number,
  dtype: OutputDType,
): CheckpointTensor {
  const { outputs } = holders[0]!.own;
  return valuesTensor(name, [outputs], dtype, async () => {
    const sum = new Float64Array(outputs);
    for (const { own, weight } of holders) {
      const bias = own.bias ? await readAll(own.bias) : null;
      for (let i = 0; bias && i < outputs; i++) {
        sum[i] = sum[i]! + ((weight * own.scale) / scale) * bias[i]!;
      }
    }
    return sum;
  });
}

interface WeightedTensor {
  readonly adapter: Adapter;
  readonly weight: number;
  readonly tensor: CheckpointTensor;
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

/** Mean by weight of whole tensors, in the dtype of the first. */
function meanOf(name: string, holders: readonly WeightedTensor[]): CheckpointTensor {
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
function meanOfRows(
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

function requireAlike(
  { adapter, own: first }: Holder<LowRankModule>,
  own: LowRankModule,
  holders: readonly Holder<LowRankModule>[],
): void {
  const other = holders.find((holder) => holder.own === own)!.adapter;
  const shape = ({ kind, inputs, outputs, magnitude }: LowRankModule) =>
    `${kind === "embedding" ? "an embedding" : "a matrix"} of ${inputs} inputs and ${outputs} outputs${magnitude ? " with magnitudes (DoRA)" : ""}`;
  if (shape(own) === shape(first)) return;
  throw differ(adapter, other, first.module, shape(first), shape(own));
}

function requireOneRank(holders: readonly Holder<LowRankModule>[], { id }: AdapterMethod): void {
  const [{ own: first, adapter }] = holders as readonly [Holder<LowRankModule>];
  const odd = holders.find(({ own }) => own.rank !== first.rank);
  if (!odd) return;
  throw new EngineError(
    "mismatch",
    `"${id}" merges factors of one rank, but ${clip(first.module)} has rank ${first.rank} in ${adapter.name} and ${odd.own.rank} in ${odd.adapter.name}. Take a method for mixed ranks: cat, svd, or ${id}_core or ${id}_knots.`,
    { module: first.module.slice(0, 120), rank: first.rank, other: odd.own.rank },
  );
}

function differ(a: Adapter, b: Adapter, module: string, first: string, other: string): EngineError {
  return new EngineError(
    "mismatch",
    `${clip(module)} is ${first} in ${a.name}, and ${other} in ${b.name}: adapters of one base are merged.`,
    { module: module.slice(0, 120), adapter: a.name, other: b.name },
  );
}
