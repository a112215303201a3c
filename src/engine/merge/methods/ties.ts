import { defineMethod, type Resolved, type SelectedTensor } from "../method.ts";
import { lambdaParam, normalizeParam, weightParam } from "../weighting.ts";
import {
  type Consensus,
  keptSums,
  type Term,
  taskVectorConstants,
  taskVectorLinked,
} from "./taskVectors/constants.ts";
import {
  densitiesOf,
  densityParam,
  describeVotes,
  likeMergekit,
  profileParam,
  rescaleParam,
  sizeRatio,
  slackOf,
  steppedWeights,
  voteOf,
} from "./taskVectors/params.ts";
import { combineTerms, keepLargest, magnitudes } from "./taskVectors/reference.ts";

function consensusOf(resolved: Resolved): Consensus {
  const { normalize, lambda } = resolved.global;
  return {
    elect: true,
    normalize: Boolean(normalize),
    floor: null,
    lambda: Number(lambda),
    slack: slackOf(resolved),
  };
}

const trims = (resolved: Resolved) => densitiesOf(resolved).some((density) => density < 1);

/** Number of kept elements: mergekit keeps one where the density rounds down to none. */
function countKept(resolved: Resolved, density: number, elements: number): number {
  const kept = Math.trunc(Math.min(1, density) * elements);
  return density > 0 && elements > 0 ? Math.max(Number(likeMergekit(resolved)), kept) : 0;
}

function termsOf({ resolved, cuts }: SelectedTensor, rescale: readonly number[]): Term[] {
  const densities = densitiesOf(resolved);
  return steppedWeights(resolved).map((weight, m) => {
    const cut = densities[m]! < 1 ? cuts[m]?.[0] : undefined;
    return {
      weight,
      vote: voteOf(resolved, weight),
      rescale: rescale[m] ?? 1,
      thinning: cut ? { kind: "largest", cut } : { kind: "none" },
    };
  });
}

/**
 * TIES: keeps the largest elements of each change, elects a sign, and averages the changes that
 * agree with it.
 */
export default defineMethod({
  id: "ties",
  title: "TIES",
  summary: "Keeps each model's largest changes and averages those that agree in sign.",
  paper: { label: "TIES-Merging", url: "https://arxiv.org/abs/2306.01708" },
  base: "required",
  models: { min: 1, max: 64 },
  params: {
    normalize: normalizeParam(true),
    lambda: lambdaParam,
    rescale: rescaleParam(false, "Makes up for what trimming took, by the sum of sizes."),
    profile: profileParam(
      "mergekit weighs the votes that elect a sign; in the paper all changes vote alike.",
    ),
    weight: weightParam({ min: -1, help: "How much of this model's change is added." }),
    density: densityParam("The fraction of this model's changes that is kept, the largest ones."),
  },
  override: null,
  mergekit: true,
  symmetric: true,
  roundsSteps: true,
  profilesDiffer: describeVotes,
  select(resolved) {
    if (!trims(resolved)) return null;
    const counts = (elements: number) =>
      densitiesOf(resolved).map((density) => [countKept(resolved, density, elements)]);
    return { rule: "magnitude", shared: false, of: "all", counts };
  },
  linked: (resolved) =>
    taskVectorLinked({
      thins: trims(resolved) ? "largest" : "none",
      elect: true,
      rescales: Boolean(resolved.global.rescale),
      weighsVotes: true,
    }),
  reduce: ({ global }) => (global.rescale ? keptSums : null),
  reduceConstants: (tensor) =>
    taskVectorConstants(termsOf(tensor, []), consensusOf(tensor.resolved)),
  elementShares: () => "task_vector_shares",
  apply: () => "task_vectors",
  decide: (unit) =>
    unit.map((tensor) => {
      const rescale = tensor.facts.map(([before, after]) =>
        sizeRatio(tensor.resolved, before, after),
      );
      const terms = termsOf(tensor, rescale);
      return { constants: taskVectorConstants(terms, consensusOf(tensor.resolved)), shares: null };
    }),
  reference: (unit) =>
    unit.map((tensor) => {
      const { resolved, base, models } = tensor;
      const sizes = models.map((model) => magnitudes(tensor, model));
      const keep = densitiesOf(resolved).map((density, m) =>
        keepLargest(sizes[m]!, countKept(resolved, density, base!.length)),
      );
      const terms = steppedWeights(resolved).map((weight, m) => {
        const before = sizes[m]!.reduce((sum, size) => sum + size, 0);
        const after = sizes[m]!.reduce((sum, size, i) => sum + (keep[m]![i] ? size : 0), 0);
        const rescale = resolved.global.rescale ? sizeRatio(resolved, before, after) : 1;
        return { weight, vote: voteOf(resolved, weight), rescale };
      });
      return combineTerms(tensor, keep, terms, consensusOf(resolved));
    }),
});
