import type { Param, Resolved } from "./method.ts";

/** The parameter `normalize` of methods that weigh models. */
export function normalizeParam(byDefault: boolean): Param {
  return {
    kind: "boolean",
    scope: "global",
    label: "Normalise",
    help: "Divide by the sum of the weights.",
    default: byDefault,
  };
}

/** The parameter `lambda`. */
export const lambdaParam: Param = {
  kind: "number",
  scope: "global",
  label: "Lambda",
  help: "Scales the summed change.",
  min: 0,
  max: 2,
  step: 0.05,
  default: 1,
  required: false,
};

/** The parameter `weight`: one per model, without a default. */
export function weightParam(range: { readonly min: number; readonly help: string }): Param {
  return {
    kind: "number",
    scope: "model",
    label: "Weight",
    max: 1,
    step: 0.01,
    default: null,
    required: true,
    ...range,
  };
}

/** The models' weights for one tensor. */
export function weightsOf({ models }: Resolved): number[] {
  return models.map((values) => Number(values.weight));
}

/** Their sum. */
export function weightSum(resolved: Resolved): number {
  return weightsOf(resolved).reduce((a, b) => a + b, 0);
}
