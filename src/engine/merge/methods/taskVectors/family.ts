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
  extends Pick<MergeMethod, "id" | "title" | "summary" | "paper" | "select" | "refuse"> {
  /** Whether changes against the elected sign are dropped. */
  readonly elect: boolean;
  /** Defaults of the shared parameters. */
  readonly normalize: boolean;
  readonly rescale: boolean;
  /** Parameters beside the shared ones. */
  readonly params: Readonly<Record<string, Param>>;
  /** Help of the parameter `profile`. */
  readonly profile: string;
  /** Sentence on where the profiles differ beside the votes, or null. */
  differ?(resolved: Resolved): string | null;
  /** Kind of sparsification of the models that do not keep all their changes. */
  readonly thins: Thinning["kind"];
  /** Sparsification of one model's change. */
  thinning(tensor: SelectedTensor, model: number): Thinning;
  /** The same in the reference: a mask over the model's elements, given the sizes of its changes. */
  keep(tensor: ReferenceTensor, model: number, sizes: Float64Array): readonly boolean[];
}

/**
 * Defines a method that sparsifies each model's change, may drop what the votes decide against, and
 * adds the weighted sum of the rest to the base.
 */
export function defineTaskVectors(about: TaskVectorMethod): MergeMethod {
  const { elect, normalize, rescale, params, profile, differ, thins, thinning, keep, ...method } =
    about;

  function consensusOf(resolved: Resolved): Consensus {
    const { global } = resolved;
    const sum = steppedWeights(resolved).reduce((total, weight) => total + weight, 0);
    return {
      elect,
      // A divisor without election is the same for all elements; a sum below 1e-8 divides by 1.
      normalize: Boolean(global.normalize) && (elect || Math.abs(sum) >= 1e-8),
      floor: null,
      lambda: Number(global.lambda),
      slack: slackOf(resolved),
    };
  }

  function termsOf(tensor: SelectedTensor, rescales: readonly number[]): Term[] {
    return steppedWeights(tensor.resolved).map((weight, m) => ({
      weight,
      vote: voteOf(tensor.resolved, weight),
      rescale: rescales[m] ?? 1,
      thinning: thinning(tensor, m),
    }));
  }

  return defineMethod({
    ...method,
    base: "required",
    models: { min: 1, max: 64 },
    params: {
      normalize: normalizeParam(normalize),
      lambda: lambdaParam,
      rescale: rescaleParam(rescale, "Makes up for what was dropped, by the sum of sizes."),
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
    linked: () => taskVectorLinked(thins),
    reduce: ({ global }) => (global.rescale ? keptSums : null),
    reduceConstants: (tensor) =>
      taskVectorConstants(termsOf(tensor, []), consensusOf(tensor.resolved)),
    elementShares: () => "task_vector_shares",
    apply: () => "task_vectors",
    decide: (unit) =>
      unit.map((tensor) => {
        const rescales = tensor.facts.map(([before, after]) =>
          sizeRatio(tensor.resolved, before, after),
        );
        const terms = termsOf(tensor, rescales);
        const constants = taskVectorConstants(terms, consensusOf(tensor.resolved));
        return { constants, shares: null };
      }),
    reference: (unit) =>
      unit.map((tensor) => {
        const { resolved, models } = tensor;
        const sizes = models.map((model) => magnitudes(tensor, model));
        const kept = sizes.map((own, m) => keep(tensor, m, own));
        const terms = steppedWeights(resolved).map((weight, m) => {
          const before = sizes[m]!.reduce((sum, size) => sum + size, 0);
          const after = sizes[m]!.reduce((sum, size, i) => sum + (kept[m]![i] ? size : 0), 0);
          const ratio = resolved.global.rescale ? sizeRatio(resolved, before, after) : 1;
          return { weight, vote: voteOf(resolved, weight), rescale: ratio };
        });
        return combineTerms(tensor, kept, terms, consensusOf(resolved));
      }),
  });
}
