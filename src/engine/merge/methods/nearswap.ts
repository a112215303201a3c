import { defineMethod, type ReferenceTensor } from "../method.ts";
import { roundingProfile, stepped } from "./taskVectors/params.ts";

/** Smallest distance that t is divided by, as in mergekit. */
const SHORTEST = 1e-6;

/** NearSwap: goes from the base to the model by at most t, so that near values are swapped. */
export default defineMethod({
  id: "nearswap",
  title: "NearSwap",
  summary: "Takes the model's values where they are within t, and moves by t towards the others.",
  paper: {
    label: "NearSwap",
    url: "https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001",
  },
  base: "required",
  models: { min: 1, max: 1 },
  params: {
    t: {
      kind: "number",
      scope: "global",
      label: "t",
      help: "How far a value moves at most.",
      min: 0,
      max: 0.01,
      step: 0.0001,
      default: null,
      required: true,
      start: 0.001,
    },
    profile: roundingProfile,
  },
  override: null,
  mergekit: true,
  symmetric: false,
  tokenRows: "equal",
  roundsSteps: true,
  elementShares: () => "nearswap_share",
  apply: () => "nearswap",
  decide: (unit) =>
    unit.map(({ resolved }) => {
      const constants = [Number(resolved.global.t), stepped(resolved, SHORTEST)];
      return { constants, shares: null };
    }),
  reference: (unit) => unit.map(nearswap),
});

function nearswap({ resolved, base, models: [other] }: ReferenceTensor): Float64Array {
  const step = (value: number) => stepped(resolved, value);
  const t = Number(resolved.global.t);
  return other!.map((value, i) => {
    const [from, to] = [step(base![i]!), step(value)];
    const apart = Math.max(step(SHORTEST), Math.abs(step(from - to)));
    const share = Math.min(1, Math.max(0, step(t * step(1 / apart))));
    return step(step(share * to) + step(step(1 - share) * from));
  });
}
