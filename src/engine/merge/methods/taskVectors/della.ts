import { findLines, paddedRow } from "../../../gpu/tiles/tiling.ts";
import type { MergeMethod, Param, ReferenceTensor, Resolved, Values } from "../../method.ts";
import { drawLimit } from "./constants.ts";
import { countMerged, drawKeyOf, drawsParam, isRecorded, seedParam } from "./draws.ts";
import { defineTaskVectors } from "./family.ts";
import { densitiesOf, densityParam, likeMergekit } from "./params.ts";
import { philox } from "./philox.ts";

const epsilonParam: Param = {
  kind: "number",
  scope: "model",
  label: "Epsilon",
  help: "By how much the probability exceeds the density for a line's largest change, and falls short of it for the smallest.",
  min: 0,
  max: 0.5,
  step: 0.01,
  default: 0.15,
};

/** Probability of a line's smallest change, and what is added to it for the largest. */
function probabilities({ models }: Resolved, model: number) {
  const { density, epsilon } = models[model]!;
  if (Number(density) <= 0) return { low: 0, width: 0 };
  return { low: Number(density) - Number(epsilon), width: 2 * Number(epsilon) };
}

const drops = (resolved: Resolved) =>
  densitiesOf(resolved)
    .slice(0, countMerged(resolved))
    .some((density) => density < 1);

function kindOf(resolved: Resolved) {
  if (!drops(resolved)) return "none";
  return isRecorded(resolved) ? "recorded ranked" : "ranked";
}

/** Whether what is kept of a change is divided by its probability, as the paper does. */
const divides = (resolved: Resolved) => !likeMergekit(resolved) && Boolean(resolved.global.rescale);

function refuse(_: Values, models: readonly Values[]): string | null {
  const wrong = models.find(({ density, epsilon }) => {
    const [d, e] = [Number(density), Number(epsilon)];
    return d > 0 && d < 1 && (d - e <= 0 || d + e >= 1);
  });
  if (!wrong) return null;
  const { density, epsilon } = wrong;
  return `A density of ${density} with an epsilon of ${epsilon} is no probability: density - epsilon and density + epsilon must lie between 0 and 1. Take a smaller epsilon.`;
}

/** Probability of each element of a change: by its place within its line, the smallest first. */
function keepProbabilities(
  { resolved, shape }: ReferenceTensor,
  model: number,
  sizes: Float64Array,
): Float64Array {
  const { low, width } = probabilities(resolved, model);
  const { layout, length, stride } = findLines(shape, "second");
  const result = new Float64Array(sizes.length);
  for (let line = 0; line < sizes.length / length; line++) {
    const first = Math.floor(line / stride) * layout.rowLength + (line % stride);
    const places = Array.from({ length }, (_, k) => first + k * stride);
    const order = places.toSorted((i, j) => sizes[i]! - sizes[j]! || i - j);
    for (const [rank, i] of order.entries()) {
      result[i] = low + width * (length > 1 ? rank / (length - 1) : 0.5);
    }
  }
  return result;
}

/** Defines one of DELLA's two variants: with TIES' sign election, or as a plain sum. */
export function defineDella(
  about: Pick<MergeMethod, "id" | "title" | "summary"> & {
    readonly elect: boolean;
    readonly normalize: boolean;
  },
): MergeMethod {
  return defineTaskVectors({
    ...about,
    paper: { label: "DELLA-Merging", url: "https://arxiv.org/abs/2406.11617" },
    rescale: true,
    params: {
      density: densityParam("The mean probability with which a change of this model is kept."),
      epsilon: epsilonParam,
      seed: seedParam,
      draws: drawsParam,
    },
    rescaleHelp: "Makes up for what was dropped.",
    profile: "mergekit rescales by the sum of sizes; the paper each change by its probability.",
    draws: true,
    countModels: countMerged,
    refuse,
    ratio: (resolved) => (likeMergekit(resolved) ? null : 1),
    differ: (resolved) =>
      drops(resolved) && resolved.global.rescale
        ? "mergekit makes up for what is dropped by the sum of sizes, and the paper divides each change by its probability"
        : null,
    derive: (resolved) =>
      drops(resolved) ? { rule: "ranks", lines: "second", models: countMerged(resolved) } : null,
    thins: kindOf,
    thinning(tensor, m) {
      const { resolved } = tensor;
      const kind = densitiesOf(resolved)[m]! < 1 ? kindOf(resolved) : "none";
      if (kind === "none") return { kind };
      const key = drawKeyOf(tensor, m);
      return { kind, key, divides: divides(resolved), ...probabilities(resolved, m) };
    },
    keep(tensor, m, sizes) {
      const { resolved, models, shape } = tensor;
      if (densitiesOf(resolved)[m]! >= 1) return Array.from(sizes, () => 1);
      const probability = keepProbabilities(tensor, m, sizes);
      const { rowLength } = findLines(shape, "second").layout;
      const recorded = isRecorded(resolved) ? models[m + countMerged(resolved)]! : null;
      const key = drawKeyOf(tensor, m);
      return Array.from(probability, (p, i) => {
        // Draws are counted with rows padded to whole quads.
        const at = Math.floor(i / rowLength) * paddedRow(rowLength) + (i % rowLength);
        const isKept = recorded
          ? recorded[i]! < p
          : philox([at >> 2, 0, 0, 0], key)[at % 4]! < drawLimit(p);
        return isKept ? (divides(resolved) ? 1 / p : 1) : 0;
      });
    },
  });
}
