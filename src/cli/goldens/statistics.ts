import * as v from "valibot";
import type { Checkpoint, CheckpointTensor } from "../../engine/checkpoint/checkpoint.ts";
import type { Recipe } from "../../engine/contract/index.ts";
import { bytesInMemory } from "../../engine/core/bytes.ts";
import { fromF32 } from "../../engine/core/tensor/convert.ts";
import type { Bench } from "./cases.ts";
import { type Comparison, combine } from "./compare.ts";
import { mergeInMemory, readValues } from "./mergeInMemory.ts";

/** What any generator must satisfy that drops changes as DARE does. */
export const DareStatisticsSchema = v.object({
  kind: v.literal("dare"),
  shape: v.array(v.number()),
  density: v.number(),
  rescale: v.boolean(),
  per_draw_bound_4sigma: v.number(),
  keep_rate_std_binomial: v.number(),
  scale_factor_mean: v.number(),
  scale_factor_std: v.number(),
  seeds: v.number(),
  mean_ratio_smallest_decile: v.nullable(v.number()),
  mean_ratio_largest_decile: v.nullable(v.number()),
});
export type DareStatistics = v.InferOutput<typeof DareStatisticsSchema>;

/** Draws that are looked at. Each is a tensor of its own: draws depend on the tensor's name. */
const DRAWS = 256;

/** Changes of both signs whose sizes differ tenfold, the same for every draw. */
function makeChange(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: count },
    (_, i) => (i % 2 ? 0.01 : -0.01) * (0.1 + 0.9 * Math.sin(i) ** 2),
  );
}

function repeat(
  name: string,
  shape: readonly number[],
  values: Float32Array<ArrayBuffer>,
): Checkpoint {
  const bytes = fromF32(values, "F32");
  const tensor = (i: number): CheckpointTensor => ({
    name: `draw.${i}`,
    dtype: "F32",
    shape,
    file: "model.safetensors",
    start: 0,
    byteLength: bytes.byteLength,
    elementCount: values.length,
    source: bytesInMemory(bytes),
  });
  const tensors = Array.from({ length: DRAWS }, (_, i) => [`draw.${i}`, tensor(i)] as const);
  return {
    name,
    config: null,
    tensors: new Map(tensors),
    files: new Map(),
    weightFiles: [],
    quantised: [],
    notes: [],
  };
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** One draw: which elements stayed, and by how much they were scaled. */
function readDraw(merged: Float64Array, change: Float32Array) {
  const ratios = [...merged].map((value, i) => value / change[i]!);
  const kept = ratios.filter((ratio) => ratio !== 0);
  return { ratios, rate: kept.length / ratios.length, scale: kept[0] ?? 1 };
}

/** A difference and what four standard deviations allow. */
function within(got: number, want: number, bound: number): Comparison {
  const maxAbsError = Math.abs(got - want);
  return { passed: maxAbsError <= bound, maxAbsError, bound };
}

/** Runs DARE over many draws and holds their statistics against those of mergekit's runs. */
export async function runDareStatistics(one: DareStatistics, bench: Bench): Promise<Comparison> {
  const { shape, density, rescale } = one;
  const count = shape.reduce((product, axis) => product * axis, 1);
  const change = makeChange(count);
  const recipe: Recipe = {
    method: "dare_linear",
    base: "base",
    models: [{ model: "tuned", parameters: { weight: 1, density } }],
    parameters: { rescale, profile: "mergekit" },
    dtype: "float32",
  };
  const checkpoints = new Map([
    ["base", repeat("base", shape, new Float32Array(count))],
    ["tuned", repeat("tuned", shape, change)],
  ]);
  const result = await mergeInMemory(recipe, checkpoints, bench.gpuProvider, bench.signal);
  const draws: ReturnType<typeof readDraw>[] = [];
  for (const tensor of result.tensors.values()) {
    draws.push(readDraw(await readValues(tensor), change));
  }
  const rates = draws.map(({ rate }) => rate);
  const rate = mean(rates);
  const spread = Math.sqrt(mean(rates.map((each) => (each - rate) ** 2)));
  const own = one.keep_rate_std_binomial;
  const scaleError = one.scale_factor_std * Math.sqrt(1 / DRAWS + 1 / one.seeds);
  return combine([
    ...rates.map((each) => within(each, density, one.per_draw_bound_4sigma)),
    within(rate, density, (4 * own) / Math.sqrt(DRAWS)),
    within(spread, own, (4 * own) / Math.sqrt(2 * DRAWS)),
    within(mean(draws.map(({ scale }) => scale)), one.scale_factor_mean, 4 * scaleError + 1e-5),
    ...compareDeciles(one, draws, change),
  ]);
}

/** Small changes must not be dropped more often than large ones: the mean kept, by size. */
function compareDeciles(
  one: DareStatistics,
  draws: readonly ReturnType<typeof readDraw>[],
  change: Float32Array,
): readonly Comparison[] {
  const order = [...change.keys()].sort((i, j) => Math.abs(change[i]!) - Math.abs(change[j]!));
  const tenth = Math.floor(order.length / 10);
  const deciles = [
    [one.mean_ratio_smallest_decile, order.slice(0, tenth)],
    [one.mean_ratio_largest_decile, order.slice(-tenth)],
  ] as const;
  return deciles.flatMap(([want, places]) => {
    if (want === null || tenth === 0) return [];
    const got = mean(draws.map(({ ratios }) => mean(places.map((i) => ratios[i]!))));
    // Of the mean of single draws at these places: theirs were as many, over more seeds.
    const relative = Math.sqrt((1 - one.density) / (one.density * tenth));
    const error = want * relative * Math.sqrt(1 / DRAWS + 1 / one.seeds);
    return [within(got, want, 4 * error)];
  });
}
