import {
  defineMethod,
  type Facts,
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
  type Thinning,
  taskVectorConstants,
  taskVectorLinked,
} from "./constants.ts";
import {
  describeVotes,
  profileParam,
  rescaleParam,
  sizeRatio,
  slackOf,
  steppedWeights,
  voteOf,
} from "./params.ts";
import { combineTerms, magnitudes } from "./reference.ts";

/** What a method on task vectors does otherwise than its relatives. */
export interface TaskVectorMethod
  extends Pick<MergeMethod, "id" | "title" | "summary" | "paper" | "derive" | "select" | "refuse"> {
  /** Whether changes against the elected sign are dropped. */
  readonly elect: boolean;
  /** Defaults of the shared parameters. */
  readonly normalize: boolean;
  readonly rescale: boolean;
  /** Help of the parameter `rescale`. */
  readonly rescaleHelp?: string;
  /** Parameters beside the shared ones. */
  readonly params: Readonly<Record<string, Param>>;
  /** Help of the parameter `profile`. */
  readonly profile: string;
  /** Sentence on where the profiles differ beside the votes, or null. */
  differ?(resolved: Resolved): string | null;
  /** Number of models that are merged, before those that hold recorded draws; by default all. */
  countModels?(resolved: Resolved): number;
  /**
   * Factor on what is left of a change, where it is not the ratio of the sums of sizes; null, and by
   * default, where it is.
   */
  ratio?(resolved: Resolved, model: number): number | null;
  /** Whether changes are dropped by draws; mergekit then rescales in float32 where the dtype is F16. */
  readonly draws?: true;
  /** Kind of sparsification of the models that do not keep all their changes. */
  thins(resolved: Resolved): Thinning["kind"];
  /** Sparsification of one model's change. */
  thinning(tensor: SelectedTensor, model: number): Thinning;
  /**
   * The same in the reference: a factor on each of the model's changes, 0 where it is dropped, given
   * their sizes.
   */
  keep(tensor: ReferenceTensor, model: number, sizes: Float64Array): readonly number[];
}

/**
 * Defines a method that sparsifies each model's change, may drop what the votes decide against, and
 * adds the weighted sum of the rest to the base.
 */
export function defineTaskVectors(about: TaskVectorMethod): MergeMethod {
  const { elect, normalize, rescale, params, profile, differ, thins, thinning, keep, ...others } =
    about;
  const { rescaleHelp = "Makes up for what was dropped, by the sum of sizes.", ...rest } = others;
  const { countModels = ({ models }) => models.length, ratio, draws, ...method } = rest;

  const mergedWeights = (resolved: Resolved) =>
    steppedWeights(resolved).slice(0, countModels(resolved));

  function consensusOf(resolved: Resolved): Consensus {
    const { global } = resolved;
    const sum = mergedWeights(resolved).reduce((total, weight) => total + weight, 0);
    return {
      elect,
      // A divisor without election is the same for all elements; a sum below 1e-8 divides by 1.
      normalize: Boolean(global.normalize) && (elect || Math.abs(sum) >= 1e-8),
      floor: null,
      lambda: Number(global.lambda),
      slack: slackOf(resolved),
    };
  }

  /** Factor of a model's change, from the sums of its sizes before and after. */
  function rescaleOf(resolved: Resolved, m: number, before: number, after: number): number {
    if (!resolved.global.rescale) return 1;
    const inFloat32 = draws && resolved.arithmetic === "F16";
    const computed: Resolved = inFloat32 ? { ...resolved, arithmetic: "F32" } : resolved;
    return ratio?.(resolved, m) ?? sizeRatio(computed, before, after);
  }

  function termsOf(tensor: SelectedTensor, facts: readonly Facts[]): Term[] {
    const { resolved } = tensor;
    const merged = mergedWeights(resolved).map((weight, m): Term => {
      const [before = 0, after = 0] = facts[m] ?? [];
      const rescale = rescaleOf(resolved, m, before, after);
      return { weight, vote: voteOf(resolved, weight), rescale, thinning: thinning(tensor, m) };
    });
    const none: Term = { weight: 0, vote: 0, rescale: 0, thinning: { kind: "none" } };
    const beside = resolved.models.length - merged.length;
    return [...merged, ...Array.from({ length: beside + derivedOf(resolved) }, () => none)];
  }

  /** Shaders see derived values as models, too. */
  const derivedOf = (resolved: Resolved) => about.derive?.(resolved)?.models ?? 0;

  return defineMethod({
    ...method,
    base: "required",
    models: { min: 1, max: 64 },
    params: {
      normalize: normalizeParam(normalize),
      lambda: lambdaParam,
      rescale: rescaleParam(rescale, rescaleHelp),
      profile: profileParam(profile),
      weight: weightParam({ min: -1, help: "How much of this model's change is added." }),
      ...params,
    },
    override: null,
    mergekit: true,
    symmetric: true,
    roundsSteps: true,
    profilesDiffer(resolved) {
      const differences = [differ?.(resolved) ?? null, elect ? describeVotes(resolved) : null];
      const found = differences.filter((difference) => difference !== null);
      return found.length === 0 ? null : found.join("; ");
    },
    linked(resolved) {
      const rescales = Boolean(resolved.global.rescale);
      return taskVectorLinked({ thins: thins(resolved), elect, rescales, weighsVotes: true });
    },
    reduce: (resolved) =>
      resolved.global.rescale && typeof ratio?.(resolved, 0) !== "number" ? keptSums : null,
    reduceConstants: (tensor) =>
      taskVectorConstants(termsOf(tensor, []), consensusOf(tensor.resolved)),
    elementShares: () => "task_vector_shares",
    apply: () => "task_vectors",
    decide: (unit) =>
      unit.map((tensor) => {
        const terms = termsOf(tensor, tensor.facts);
        const constants = taskVectorConstants(terms, consensusOf(tensor.resolved));
        return { constants, shares: null };
      }),
    reference: (unit) =>
      unit.map((tensor) => {
        const { resolved, models } = tensor;
        const merged = mergedWeights(resolved);
        const sizes = merged.map((_, m) => magnitudes(tensor, models[m]!));
        const kept = sizes.map((own, m) => keep(tensor, m, own));
        const terms = merged.map((weight, m) => {
          const before = sizes[m]!.reduce((sum, size) => sum + size, 0);
          const after = sizes[m]!.reduce((sum, size, i) => sum + (kept[m]![i]! > 0 ? size : 0), 0);
          const factor = rescaleOf(resolved, m, before, after);
          return { weight, vote: voteOf(resolved, weight), rescale: factor };
        });
        return combineTerms(tensor, kept, terms, consensusOf(resolved));
      }),
  });
}
