import { norm } from "./span/gram.ts";
import { defineSpanMethod } from "./span/span.ts";

/** Cosine above which mergekit interpolates linearly. */
const NEARLY_PARALLEL = 0.9995;

/** Norm up to which a tensor is not normalised, as in mergekit. */
const SHORTEST = 1e-8;

/** SLERP: interpolates spherically from the base to one other model. */
export default defineSpanMethod({
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
  blendsBase: true,
  tokenRows: "common",
  coefficients({ gram, resolved }) {
    const t = Number(resolved.global.t);
    const [from, to] = [0, 1].map((i) => (norm(gram, i) > SHORTEST ? norm(gram, i) : 1));
    const cosine = gram[0]![1]! / (from! * to!);
    if (Math.abs(cosine) > NEARLY_PARALLEL) return [1 - t, t];
    const angle = Math.acos(cosine);
    return [(1 - t) * angle, t * angle].map((part) => Math.sin(part) / Math.sin(angle));
  },
});
