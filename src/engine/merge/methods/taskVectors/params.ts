import type { Param, Resolved } from "../../method.ts";

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
  };
}

export function rescaleParam(byDefault: boolean, help: string): Param {
  return { kind: "boolean", scope: "global", label: "Rescale", help, default: byDefault };
}

export function profileParam(help: string, others: readonly string[] = []): Param {
  const options = ["studio", ...others, "mergekit"];
  return { kind: "choice", scope: "global", label: "Profile", help, options, default: "studio" };
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

/** Weights that cancel leave a sum of rounding; mergekit divides by it all the same. */
export const slackOf = (resolved: Resolved) => (likeMergekit(resolved) ? 0 : 1e-6);

/**
 * What brings the sum of sizes back to what it was before thinning, as mergekit rescales; nothing
 * where either is next to nothing.
 */
export function sizeRatio(before: number, after: number): number {
  return before < 1e-7 || after < 1e-7 ? 1 : before / after;
}
