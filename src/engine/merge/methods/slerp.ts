import { defineMethod } from "../method.ts";

/** Above this cosine mergekit walks the straight line instead. */
const NEARLY_PARALLEL = 0.9995;

/** A tensor shorter than this keeps its length as if it were 1. */
const SHORTEST = 1e-8;

/** The coefficients on base and model, from Σ base², Σ x² and Σ base·x over the whole tensor. */
function coefficients(baseSquared: number, squared: number, product: number, t: number) {
  const baseLength = Math.sqrt(baseSquared);
  const length = Math.sqrt(squared);
  const cosine =
    product / ((baseLength > SHORTEST ? baseLength : 1) * (length > SHORTEST ? length : 1));
  if (Math.abs(cosine) > NEARLY_PARALLEL) return { fromBase: 1 - t, fromModel: t };
  const angle = Math.acos(cosine);
  return {
    fromBase: Math.sin((1 - t) * angle) / Math.sin(angle),
    fromModel: Math.sin(t * angle) / Math.sin(angle),
  };
}

/** SLERP: walks the great circle from the base to the other model. */
export default defineMethod({
  id: "slerp",
  title: "SLERP",
  summary: "Walks the arc from the base to one other model, tensor by tensor.",
  paper: {
    label: "Animating rotation with quaternion curves",
    url: "https://doi.org/10.1145/325334.325242",
  },
  base: "required",
  models: { min: 1, max: 1 },
  params: {
    t: {
      kind: "number",
      scope: "global",
      label: "t",
      help: "0 is the base, 1 the other model.",
      min: 0,
      max: 1,
      step: 0.01,
      default: null,
      required: true,
    },
  },
  override: null,
  mergekit: true,
  symmetric: false,
  cutsBase: true,
  reduce: () => "dots",
  apply: () => "base_and_models",
  decide: (unit) =>
    unit.map(({ resolved, facts: [facts] }) => {
      const [baseSquared, squared, product] = facts!;
      const { fromBase, fromModel } = coefficients(
        baseSquared,
        squared,
        product,
        Number(resolved.global.t),
      );
      return { constants: [fromBase, fromModel], shares: [fromModel] };
    }),
  reference: (unit) =>
    unit.map(({ resolved, base, models: [model] }) => {
      const sum = (a: Float64Array, b: Float64Array) => a.reduce((s, v, i) => s + v * b[i]!, 0);
      const { fromBase, fromModel } = coefficients(
        sum(base!, base!),
        sum(model!, model!),
        sum(base!, model!),
        Number(resolved.global.t),
      );
      return base!.map((b, i) => fromBase * b + fromModel * model![i]!);
    }),
});
