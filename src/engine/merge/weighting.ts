import type { Param, Resolved } from "./method.ts";

/** Parameter `normalize` of methods with weights. */
export function normalizeParam(byDefault: boolean): Param {
  return {
    kind: "boolean",
    scope: "global",
    label: "Normalise",
    help: "Divide by the sum of the weights.",
    default: byDefault,
  };
}

/** Parameter `lambda`, which scales the sum of changes. */
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

/** Parameter `weight`: one per model, required. */
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

/** Weights of the models for one tensor. */
export function weightsOf({ models }: Resolved): number[] {
  return models.map((values) => Number(values.weight));
}

/** Sum of the models' weights. */
export function weightSum(resolved: Resolved): number {
  return weightsOf(resolved).reduce((a, b) => a + b, 0);
}
