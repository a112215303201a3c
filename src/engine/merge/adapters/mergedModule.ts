import type { LowRankModule } from "../../checkpoint/adapters/adapter.ts";
import type { CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import {
  type AdapterMergeRequest,
  type AdapterMethod,
  EngineError,
  type OutputDType,
} from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import { type Factors, mergedRank, mergeFactors, type Share } from "./factors.ts";
import { differ, type Holder, PREFIX, readAll, valuesTensor } from "./holders.ts";
import { transposed } from "./matrix.ts";
import { meanOf } from "./weightedMeans.ts";

export type MergeSettings = Pick<AdapterMergeRequest, "density" | "rank" | "seed" | "vote">;

/**
 * One module of the merged adapter, from the adapters that have it: its rank, its scale, which is theirs
 * where they share one, else 1, and its tensors. `mismatch` where they do not fit together.
 */
export function mergeModule(
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
