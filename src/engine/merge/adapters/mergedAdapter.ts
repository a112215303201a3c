import type { Adapter } from "../../checkpoint/adapters/adapter.ts";
import type { CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import type { AdapterMethod, OutputDType } from "../../contract/index.ts";
import { isOutputDType } from "../../core/tensor/dtype.ts";
import type { Holder } from "./holders.ts";
import { type MergeSettings, mergeModule } from "./mergedModule.ts";
import { meanOf, meanOfRows } from "./weightedMeans.ts";

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
