import {
  type Cut,
  defineMethod,
  type ReferenceTensor,
  type Resolved,
  type UnitTensor,
} from "../method.ts";
import { divergence } from "./arceeFusion/divergence.ts";
import { roundingProfile, stepped } from "./taskVectors/params.ts";
import { deltasOf } from "./taskVectors/reference.ts";

const QUARTILES = [0.25, 0.5, 0.75];

/** Index of each quartile among so many sorted values, in float32 as torch finds it. */
const indicesOf = (count: number) =>
  QUARTILES.map((q) => Math.trunc(Math.fround(q * Math.fround(count - 1))));

const inSteps = ({ arithmetic = "F32" }: Resolved) => arithmetic !== "F32";

const word = new DataView(new ArrayBuffer(4));

/** Importance from its score's bits; see shaders/score/importance.wgsl. */
function readImportance(resolved: Resolved, { bits }: Cut): number {
  const ordered = 2 * bits;
  const isNegative = ordered < 2 ** 31;
  const stored = isNegative ? 2 ** 32 - 2 - ordered : ordered - 2 ** 31;
  word.setUint32(0, inSteps(resolved) ? stored : bits);
  return word.getFloat32(0);
}

/** Smallest importance that is taken: the median and one and a half times the quartiles' distance. */
function thresholdOf(resolved: Resolved, quartiles: readonly number[]): number {
  const step = (value: number) => stepped(resolved, value);
  const [low, middle, high] = quartiles as readonly [number, number, number];
  return step(middle + step(1.5 * step(high - low)));
}

/** Arcee Fusion: takes the changes that matter most, where the model's rows differ most from the base's. */
export default defineMethod({
  id: "arcee_fusion",
  title: "Arcee Fusion",
  summary: "Takes the model's most important changes and leaves the rest as in the base.",
  paper: {
    label: "Arcee Fusion",
    url: "https://www.arcee.ai/blog/meet-mergekit-v0-1-arcee-fusion-expanded-model-support-multi-gpu-acceleration",
  },
  base: "required",
  models: { min: 1, max: 1 },
  params: { profile: roundingProfile },
  override: null,
  mergekit: true,
  symmetric: false,
  tokenRows: "common",
  roundsSteps: true,
  derive: (resolved) => ({
    lines: "last",
    models: 1,
    line: (base, model) => divergence(resolved, base, model),
  }),
  select: (resolved) => ({
    rule: inSteps(resolved) ? "signed_importance" : "importance",
    shared: true,
    scoresOnly: true,
    of: "all",
    counts: (elements) => [indicesOf(elements).map((index) => elements - index)],
  }),
  elementShares: () => "importance_share",
  apply: () => "importance",
  decide: (unit: readonly UnitTensor[]) =>
    unit.map(({ resolved, cuts: [quartiles = []] }) => {
      const values = quartiles.map((cut) => readImportance(resolved, cut));
      return { constants: [thresholdOf(resolved, values)], shares: null };
    }),
  reference: (unit) => unit.map(fuse),
});

/** Reference: importance by its definition, quartiles by sorting. */
function fuse(tensor: ReferenceTensor): Float64Array {
  const { resolved, shape, base, models } = tensor;
  const [model] = models as [Float64Array];
  const length = shape.at(-1) ?? 1;
  const delta = deltasOf(tensor, model);
  const importance = delta.map((d, i) => {
    const start = i - (i % length);
    const ofLine = divergence(
      resolved,
      base!.subarray(start, start + length),
      model.subarray(start, start + length),
    );
    return stepped(resolved, Math.abs(d) * Math.fround(ofLine));
  });
  const sorted = importance.toSorted();
  const quartiles = indicesOf(sorted.length).map((index) => sorted[index]!);
  const threshold = thresholdOf(resolved, quartiles);
  return base!.map(
    (own, i) => stepped(resolved, own) + (importance[i]! >= threshold ? delta[i]! : 0),
  );
}
