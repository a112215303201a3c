import { roundTo } from "../../../core/tensor/round.ts";
import type { Param, Resolved } from "../../method.ts";
import { weightsOf } from "../../weighting.ts";

/** Parameters shared by the methods on task vectors. */

export function densityParam(help: string): Param {
  return {
    kind: "number",
    scope: "model",
    label: "Density",
    help,
    min: 0,
    max: 1,
    step: 0.01,
    default: 1,
    start: 0.5,
  };
}

export function rescaleParam(byDefault: boolean, help: string): Param {
  return { kind: "boolean", scope: "global", label: "Rescale", help, default: byDefault };
}

/** Parameter `profile`: whose results the method reproduces where mergekit and the paper differ. */
export function profileParam(help: string, others: readonly string[] = []): Param {
  return {
    kind: "choice",
    scope: "global",
    label: "Profile",
    help,
    options: ["mergekit", "paper", ...others],
    // Earlier name of the profile `paper`.
    accepts: ["studio"],
    default: "mergekit",
  };
}

/** Parameter `profile` of methods whose two profiles differ in rounding alone. */
export const roundingProfile = profileParam(
  "mergekit computes in the recipe's dtype, every step rounded; paper in float32, rounded once.",
);

export const likeMergekit = ({ global }: Resolved) => global.profile === "mergekit";

export function densitiesOf({ models }: Resolved): number[] {
  return models.map(({ density }) => Math.max(0, Number(density)));
}

/**
 * A model's vote in the sign election. In the papers each change that is added votes alike; in
 * mergekit the vote is the weight, and a negative weight reverses it.
 */
export function voteOf(resolved: Resolved, weight: number): number {
  return likeMergekit(resolved) ? weight : Number(weight !== 0);
}

/** Sentence that says where votes differ between the profiles; null where they agree. */
export function describeVotes(resolved: Resolved): string | null {
  const weights = resolved.models.map(({ weight }) => Number(weight));
  const alike = weights.every((weight) => weight === weights[0] && weight > 0);
  if (alike) return null;
  return "mergekit weighs the votes that elect a sign, and the paper counts them alike";
}

/**
 * Slack of the divisor: weights that cancel leave rounding error, which mergekit divides by all the
 * same.
 */
export const slackOf = (resolved: Resolved) => (likeMergekit(resolved) ? 0 : 1e-6);

/**
 * Result of one step, rounded to the tensor's arithmetic; unrounded on the CPU where that is
 * float32.
 */
export function stepped(
  { arithmetic = "F32" }: Pick<Resolved, "arithmetic">,
  value: number,
): number {
  return arithmetic === "F32" ? value : roundTo(value, arithmetic);
}

/** Weights of the models, rounded to the tensor's arithmetic. */
export function steppedWeights(resolved: Resolved): number[] {
  return weightsOf(resolved).map((weight) => stepped(resolved, weight));
}

/**
 * Factor that restores the sum of magnitudes from before sparsification, as mergekit rescales; 1
 * where either sum is near 0.
 */
export function sizeRatio(resolved: Resolved, before: number, after: number): number {
  const [all, left] = [stepped(resolved, before), stepped(resolved, after)];
  return all < 1e-7 || left < 1e-7 ? 1 : stepped(resolved, all / left);
}
