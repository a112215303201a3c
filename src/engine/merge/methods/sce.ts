import { defineMethod, type Resolved, type SelectedTensor, type Values } from "../method.ts";
import {
  type Consensus,
  keptSums,
  type Term,
  type Thinning,
  taskVectorConstants,
  taskVectorLinked,
} from "./taskVectors/constants.ts";
import { profileParam, stepped } from "./taskVectors/params.ts";
import { combineTerms, deltasOf, keepLargest, variances } from "./taskVectors/reference.ts";

/**
 * Sum of the models' mean squares below which mergekit weighs all models alike; also the lower
 * bound of its divisor.
 */
const GUARD = 1e-6;

const hasGuard = ({ global }: Resolved) => global.profile === "mergekit";
/**
 * Whether the selection serves only the coefficients while all elements are merged, as in
 * FuseChat's fork of mergekit.
 */
const mergesUnselected = ({ global }: Resolved) => global.profile === "fusechat-v2";

const fractionOf = (global: Values) => Math.max(0, Number(global.select_topk));

function consensusOf(resolved: Resolved): Consensus {
  const floor = hasGuard(resolved) ? GUARD : null;
  return { elect: true, normalize: true, floor, lambda: 1, slack: 0 };
}

function coefficients(resolved: Resolved, meanSquares: readonly number[]): readonly number[] {
  const step = (value: number) => stepped(resolved, value);
  const means = meanSquares.map(step);
  const sum = step(means.reduce((total, mean) => total + mean, 0));
  const none = hasGuard(resolved) ? sum < GUARD : sum === 0;
  return means.map((mean) => step(none ? 1 / means.length : mean / sum));
}

function termsOf(weights: readonly number[], thinning: Thinning): Term[] {
  return weights.map((weight) => ({ weight, vote: 1, rescale: 1, thinning }));
}

function selected({ cuts: [own] }: SelectedTensor): Thinning {
  const [cut] = own ?? [];
  return cut ? { kind: "variance", cut } : { kind: "none" };
}

/**
 * SCE: selects the elements that vary most over the models, weighs models by their changes there,
 * and drops changes of the minority sign.
 */
export default defineMethod({
  id: "sce",
  title: "SCE",
  summary: "Selects where the models differ most and weighs each by its change there.",
  paper: { label: "FuseChat 2", url: "https://arxiv.org/abs/2408.07990" },
  base: "required",
  models: { min: 1, max: 64 },
  params: {
    select_topk: {
      kind: "number",
      scope: "global",
      label: "Select top-k",
      help: "The fraction of differing elements that is kept, those of the largest variance.",
      min: 0,
      max: 1,
      step: 0.01,
      default: 1,
    },
    profile: profileParam(
      "mergekit weighs small changes alike; paper weighs them by their squares; fusechat-v2 merges unselected changes too.",
      ["fusechat-v2"],
    ),
  },
  override: null,
  mergekit: true,
  symmetric: true,
  roundsSteps: true,
  profilesDiffer: ({ models }) =>
    models.length < 2
      ? null
      : "where the models' mean squared changes sum to less than 1e-6, mergekit weighs them alike, and the paper by their squares",
  select({ global, models }) {
    const fraction = fractionOf(global);
    if (fraction >= 1) return null;
    const counts = (differing: number) => models.map(() => [Math.trunc(fraction * differing)]);
    return { rule: "spread", shared: true, of: "positive", counts };
  },
  linked: ({ global }) =>
    taskVectorLinked({
      thins: fractionOf(global) < 1 ? "variance" : "none",
      elect: true,
      rescales: false,
      weighsVotes: false,
    }),
  reduce: () => keptSums,
  reduceConstants: (tensor) => {
    const weights = tensor.resolved.models.map(() => 1);
    return taskVectorConstants(termsOf(weights, selected(tensor)), consensusOf(tensor.resolved));
  },
  elementShares: () => "task_vector_shares",
  apply: () => "task_vectors",
  decide: (unit) =>
    unit.map((tensor) => {
      const { resolved, facts, elementCount } = tensor;
      const squares = facts.map(([, , sum]) => sum / Math.max(1, elementCount));
      const thinning: Thinning = mergesUnselected(resolved) ? { kind: "none" } : selected(tensor);
      const terms = termsOf(coefficients(resolved, squares), thinning);
      return { constants: taskVectorConstants(terms, consensusOf(resolved)), shares: null };
    }),
  reference: (unit) =>
    unit.map((tensor) => {
      const { resolved, models } = tensor;
      const scores = variances(tensor);
      const fraction = Math.min(1, Number(resolved.global.select_topk));
      const positive = scores.filter((score) => score > 0).length;
      const all = Array.from(scores, () => 1);
      const keep = fraction < 1 ? keepLargest(scores, Math.trunc(fraction * positive)) : all;
      const squares = models.map(
        (model) =>
          deltasOf(tensor, model).reduce(
            (sum, d, i) => sum + (keep[i] ? stepped(resolved, d ** 2) : 0),
            0,
          ) / model.length,
      );
      const terms = termsOf(coefficients(resolved, squares), { kind: "none" });
      const merged = models.map(() => (mergesUnselected(resolved) ? all : keep));
      return combineTerms(tensor, merged, terms, consensusOf(resolved));
    }),
});
