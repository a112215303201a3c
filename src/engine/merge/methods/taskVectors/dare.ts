import {
  defineMethod,
  type MergeMethod,
  type Param,
  type ReferenceTensor,
  type Resolved,
  type SelectedTensor,
} from "../../method.ts";
import { lambdaParam, normalizeParam, weightParam } from "../../weighting.ts";
import {
  type Consensus,
  keptSums,
  type Term,
  taskVectorConstants,
  taskVectorLinked,
} from "./constants.ts";
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
} from "./params.ts";
import { drawKey } from "./philox.ts";
import { combineTerms, keepDrawn, magnitudes } from "./reference.ts";

const seedParam: Param = {
  kind: "number",
  scope: "global",
  label: "Seed",
  help: "The same seed drops the same elements, on every machine.",
  min: 0,
  max: 2 ** 31,
  step: 1,
  default: 0,
};

/**
 * Parameter for replaying a recorded run: the second half of the models are its draws in [0, 1).
 */
const drawsParam: Param = {
  kind: "choice",
  scope: "global",
  label: "Draws",
  help: "Where the draws come from.",
  options: ["philox"],
  accepts: ["recorded"],
  default: "philox",
};

const isRecorded = ({ global }: Resolved) => global.draws === "recorded";

/** Number of models that are merged; the rest are recorded draws. */
function countModels(resolved: Resolved): number {
  return isRecorded(resolved) ? resolved.models.length / 2 : resolved.models.length;
}

/** Rescaling factor 1 / density of the DARE paper, used where magnitudes are not compared. */
function expectedRatio(density: number): number {
  return density > 0 && density < 1 ? 1 / density : 1;
}

const comparesSizes = (resolved: Resolved) =>
  likeMergekit(resolved) && Boolean(resolved.global.rescale);

/** Arithmetic of the rescaling factor: mergekit computes it in float32 where the dtype is F16. */
function ratioArithmetic(resolved: Resolved): Resolved {
  return resolved.arithmetic === "F16" ? { ...resolved, arithmetic: "F32" } : resolved;
}

function rescaleOf(resolved: Resolved, density: number, sizes: readonly [number, number] | null) {
  if (!resolved.global.rescale || density >= 1) return 1;
  if (!likeMergekit(resolved)) return expectedRatio(density);
  return sizes ? sizeRatio(ratioArithmetic(resolved), ...sizes) : 1;
}

/**
 * Keys of the models' draws: the last part of a path, so that they do not depend on where folders
 * lie. Equal names are numbered.
 */
function namesOf(keys: readonly string[]): readonly string[] {
  const last = keys.map((key) => key.split(/[\\/]/).findLast((part) => part !== "") ?? key);
  return last.map((name, m) => {
    const before = last.slice(0, m).filter((other) => other === name).length;
    return before === 0 ? name : `${name}/${before + 1}`;
  });
}

/** Defines one of DARE's two variants: with TIES' sign election, or as a plain sum. */
export function defineDare(about: {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly elect: boolean;
}): MergeMethod {
  const { elect, ...names } = about;

  function consensusOf(resolved: Resolved): Consensus {
    const { normalize, lambda } = resolved.global;
    const merged = steppedWeights(resolved).slice(0, countModels(resolved));
    const sum = merged.reduce((total, weight) => total + weight, 0);
    return {
      elect,
      // A divisor without election is the same for all elements; a sum below 1e-8 divides by 1.
      normalize: Boolean(normalize) && (elect || Math.abs(sum) >= 1e-8),
      floor: null,
      lambda: Number(lambda),
      slack: slackOf(resolved),
    };
  }

  function termsOf(
    { name, keys, resolved }: SelectedTensor,
    sizes: readonly (readonly [number, number])[],
  ): Term[] {
    const densities = densitiesOf(resolved);
    const seed = Number(resolved.global.seed);
    const names = namesOf(keys);
    return steppedWeights(resolved).map((weight, m): Term => {
      if (m >= countModels(resolved)) {
        return { weight: 0, vote: 0, rescale: 0, thinning: { kind: "none" } };
      }
      const density = densities[m]!;
      const rescale = rescaleOf(resolved, density, sizes[m] ?? null);
      const vote = voteOf(resolved, weight);
      if (density >= 1) return { weight, vote, rescale, thinning: { kind: "none" } };
      if (isRecorded(resolved)) {
        return { weight, vote, rescale, thinning: { kind: "recorded", density } };
      }
      const key = drawKey(seed, name, names[m]!);
      return { weight, vote, rescale, thinning: { kind: "random", density, key } };
    });
  }

  return defineMethod({
    ...names,
    paper: { label: "DARE", url: "https://arxiv.org/abs/2311.03099" },
    base: "required",
    models: { min: 1, max: 64 },
    params: {
      normalize: normalizeParam(false),
      lambda: lambdaParam,
      rescale: rescaleParam(true, "Makes up for what was dropped, so that the mean change stays."),
      seed: seedParam,
      draws: drawsParam,
      profile: profileParam("mergekit rescales by the sum of sizes; the paper by 1 / density."),
      weight: weightParam({ min: -1, help: "How much of this model's change is added." }),
      density: densityParam("The probability with which a change of this model is kept."),
    },
    override: null,
    mergekit: true,
    symmetric: true,
    roundsSteps: true,
    profilesDiffer(resolved) {
      const thins = densitiesOf(resolved).some((density) => density > 0 && density < 1);
      const differences = [
        thins && resolved.global.rescale
          ? "mergekit makes up for what is dropped by the sum of sizes, and the paper by 1 / density"
          : null,
        about.elect ? describeVotes(resolved) : null,
      ];
      const found = differences.filter((difference) => difference !== null);
      return found.length === 0 ? null : found.join("; ");
    },
    linked(resolved) {
      const drops = densitiesOf(resolved).some((density) => density < 1);
      const kind = isRecorded(resolved) ? "recorded" : "random";
      return taskVectorLinked(drops ? kind : "none");
    },
    reduce: (resolved) => (comparesSizes(resolved) ? keptSums : null),
    reduceConstants: (tensor) =>
      taskVectorConstants(termsOf(tensor, []), consensusOf(tensor.resolved)),
    elementShares: () => "task_vector_shares",
    apply: () => "task_vectors",
    decide: (unit) =>
      unit.map((tensor) => {
        const sizes = tensor.facts.map(([before, after]) => [before, after] as const);
        const terms = termsOf(tensor, sizes);
        const constants = taskVectorConstants(terms, consensusOf(tensor.resolved));
        return { constants, shares: null };
      }),
    reference: (unit) => unit.map((tensor) => referenceDare(tensor, consensusOf(tensor.resolved))),
  });
}

function referenceDare(tensor: ReferenceTensor, consensus: Consensus): Float64Array {
  const { name, keys, resolved, base, models } = tensor;
  const count = countModels(resolved);
  const densities = densitiesOf(resolved).slice(0, count);
  const keep = densities.map((density, m) => {
    if (density >= 1) return Array.from(base!, () => true);
    if (isRecorded(resolved)) return Array.from(models[m + count]!, (draw) => draw < density);
    const key = drawKey(Number(resolved.global.seed), name, namesOf(keys)[m]!);
    return keepDrawn(base!.length, density, key);
  });
  const terms = densities.map((density, m) => {
    const weight = steppedWeights(resolved)[m]!;
    const sizes = magnitudes(tensor, models[m]!);
    const before = sizes.reduce((sum, size) => sum + size, 0);
    const after = sizes.reduce((sum, size, i) => sum + (keep[m]![i] ? size : 0), 0);
    const rescale = rescaleOf(resolved, density, [before, after]);
    return { weight, vote: voteOf(resolved, weight), rescale };
  });
  return combineTerms(tensor, keep, terms, consensus);
}
