import { roundTo } from "../../../core/tensor/round.ts";
import type { Param, Resolved } from "../../method.ts";
import { weightsOf } from "../../weighting.ts";

/** Parameters that the methods on task vectors share. */

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

/** Whose numbers a method comes to where mergekit and the paper differ. */
export function profileParam(help: string, others: readonly string[] = []): Param {
  return {
    kind: "choice",
    scope: "global",
    label: "Profile",
    help,
    options: ["mergekit", "paper", ...others],
    // What the paper's profile was called.
    accepts: ["studio"],
    default: "mergekit",
  };
}

export const likeMergekit = ({ global }: Resolved) => global.profile === "mergekit";

export function densitiesOf({ models }: Resolved): number[] {
  return models.map(({ density }) => Math.max(0, Number(density)));
}

/**
 * A model's voice when signs are elected. In the papers all changes vote alike, but for those that are
 * not added; in mergekit a weight is a voice, and a negative one turns it.
 */
export function voteOf(resolved: Resolved, weight: number): number {
  return likeMergekit(resolved) ? weight : Number(weight !== 0);
}

/** Where votes make a difference between the profiles, in words. */
export function describeVotes(resolved: Resolved): string | null {
  const weights = resolved.models.map(({ weight }) => Number(weight));
  const alike = weights.every((weight) => weight === weights[0] && weight > 0);
  if (alike) return null;
  return "mergekit weighs the votes that elect a sign, and the paper counts them alike";
}

/** Weights that cancel leave a sum of rounding; mergekit divides by it all the same. */
export const slackOf = (resolved: Resolved) => (likeMergekit(resolved) ? 0 : 1e-6);

/** The outcome of one step in the tensor's arithmetic; in float32 nothing is rounded on the CPU. */
export function stepped(
  { arithmetic = "F32" }: Pick<Resolved, "arithmetic">,
  value: number,
): number {
  return arithmetic === "F32" ? value : roundTo(value, arithmetic);
}

/** A model's weights as the tensor's arithmetic has them. */
export function steppedWeights(resolved: Resolved): number[] {
  return weightsOf(resolved).map((weight) => stepped(resolved, weight));
}

/**
 * What brings the sum of sizes back to what it was before thinning, as mergekit rescales; nothing
 * where either is next to nothing.
 */
export function sizeRatio(resolved: Resolved, before: number, after: number): number {
  const [all, left] = [stepped(resolved, before), stepped(resolved, after)];
  return all < 1e-7 || left < 1e-7 ? 1 : stepped(resolved, all / left);
}
