import * as v from "valibot";
import type { CheckpointTensor } from "../../engine/checkpoint/checkpoint.ts";
import { EngineError } from "../../engine/contract/index.ts";
import { chooseRank, factorsOf } from "../../engine/extract/factors.ts";
import { leadingSvd } from "../../engine/spectrum/leadingSvd.ts";
import type { Bench } from "./cases.ts";
import { type Comparison, combine, compareValues } from "./compare.ts";
import { readValues } from "./mergeInMemory.ts";

/** A case of mergekit-extract-lora in the section `misc`. */
const ExtractCaseSchema = v.object({
  id: v.pipe(v.string(), v.startsWith("extract_lora/")),
  max_rank: v.number(),
  distribute_scale: v.boolean(),
  /** Whether the matrix is an embedding's, whose factors are those of its transpose. */
  transpose: v.boolean(),
  sv_epsilon: v.number(),
  rank: v.number(),
  tensors: v.object({
    delta: v.string(),
    lora_A: v.string(),
    lora_B: v.string(),
    BA: v.string(),
    singular_values: v.string(),
  }),
  tolerance: v.object({ atol: v.number(), rtol: v.number() }),
});
export type ExtractCase = v.InferOutput<typeof ExtractCaseSchema>;

/** The case that an entry of `misc` states, or null for another kind. */
export function readExtractCase(entry: unknown): ExtractCase | null {
  const read = v.safeParse(ExtractCaseSchema, entry);
  return read.success ? read.output : null;
}

/**
 * B·A and singular values, which are unique, beside mergekit's. Of factors alone only their lengths
 * are: those of A's rows and B's columns.
 */
export async function runExtractCase(
  one: ExtractCase,
  file: string,
  { gpuProvider, open, signal }: Bench,
): Promise<Comparison> {
  const golden = await open(file);
  const find = (name: string): CheckpointTensor => {
    const tensor = golden.tensors.get(name);
    if (tensor) return tensor;
    throw new EngineError("missing-tensor", `The goldens have no tensor "${name}".`, {
      tensor: name,
    });
  };
  const delta = find(one.tensors.delta);
  const [rows = 0, columns = 0] = delta.shape;
  const source = { name: delta.name, rows, columns, model: delta, base: null };
  const count = Math.min(rows, columns);
  const svd = await leadingSvd(await gpuProvider.get(), source, { count, seed: 42, signal });
  const rank = chooseRank(svd, { rank: one.max_rank, energy: null, least: one.sv_epsilon });
  const as = one.transpose ? "embedding" : "linear";
  const { a, b } = factorsOf(svd, { rank, scale: 1, as, distribute: one.distribute_scale });
  const inputs = a.length / rank;
  const outputs = b.length / rank;
  const product = new Float64Array(outputs * inputs);
  for (let o = 0; o < outputs; o++) {
    for (let r = 0; r < rank; r++) {
      const factor = b[o * rank + r]!;
      for (let i = 0; i < inputs; i++) product[o * inputs + i]! += factor * a[r * inputs + i]!;
    }
  }
  const { atol, rtol } = one.tolerance;
  const compare = async (got: Float64Array, name: string) => {
    const want = await readValues(find(name));
    return compareValues(
      got,
      want.subarray(0, got.length),
      (i) => atol + rtol * Math.abs(want[i]!),
    );
  };
  const lengths = (factor: ArrayLike<number>, at: (r: number, i: number) => number) => {
    const length = factor.length / rank;
    return Float64Array.from({ length: rank }, (_, r) => {
      let sum = 0;
      for (let i = 0; i < length; i++) sum += factor[at(r, i)]! ** 2;
      return Math.sqrt(sum);
    });
  };
  const [wantA, wantB] = [
    await readValues(find(one.tensors.lora_A)),
    await readValues(find(one.tensors.lora_B)),
  ];
  const inRows = (r: number, i: number) => r * inputs + i;
  const inColumns = (r: number, i: number) => i * rank + r;
  const bound = (i: number) => 4 * (atol + rtol * Math.sqrt(svd.values[i]!));
  const found = combine([
    await compare(product, one.tensors.BA),
    await compare(svd.values, one.tensors.singular_values),
    compareValues(lengths(a, inRows), lengths(wantA, inRows), bound),
    compareValues(lengths(b, inColumns), lengths(wantB, inColumns), bound),
  ]);
  // Values at the level of float32's rounding are no rank here.
  return { ...found, passed: found.passed && rank === Math.min(one.rank, svd.values.length) };
}
