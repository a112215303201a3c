import {
  defineMethod,
  type MergeMethod,
  type Param,
  type ReferenceTensor,
  type Resolved,
} from "../../method.ts";
import { roundingProfile, stepped } from "../taskVectors/params.ts";
import { deltasOf } from "../taskVectors/reference.ts";

/** Elements of a tensor that one model changed alone, and those that others changed too. */
export interface Changed {
  readonly alone: number;
  readonly shared: number;
}

/** One of RAM's variants. */
export interface RamMethod extends Pick<MergeMethod, "id" | "title" | "summary"> {
  /** Parameters beside epsilon and profile. */
  readonly params: Readonly<Record<string, Param>>;
  /**
   * Factor of what a model changed alone, by its counts; null where it is 1 and nothing is counted.
   */
  readonly factor: ((resolved: Resolved, changed: Changed) => number) | null;
}

const epsilonOf = (resolved: Resolved) => stepped(resolved, Number(resolved.global.epsilon));

/** Constants of shaders/merge/ram.wgsl. */
function constantsOf(resolved: Resolved, isFlat: boolean, factors: readonly number[]): number[] {
  return [epsilonOf(resolved), Number(isFlat), ...factors];
}

/**
 * Defines RAM (arXiv 2601.13572, §4): what one model changed by more than epsilon is taken from it,
 * what several changed is their mean.
 */
export function defineRam({ params, factor, ...about }: RamMethod): MergeMethod {
  return defineMethod({
    ...about,
    paper: { label: "RAM", url: "https://arxiv.org/abs/2601.13572" },
    base: "required",
    models: { min: 1, max: 64 },
    params: {
      epsilon: {
        kind: "number",
        scope: "global",
        label: "Epsilon",
        help: "Changes up to it count as none.",
        min: 0,
        max: 0.001,
        step: 1e-6,
        default: 1e-5,
      },
      ...params,
      profile: roundingProfile,
    },
    override: null,
    mergekit: true,
    symmetric: true,
    tokenRows: "equal",
    roundsSteps: true,
    reduce: () => (factor ? { rule: "ram_counts" } : null),
    reduceConstants: ({ resolved }) => [epsilonOf(resolved)],
    elementShares: () => "ram_shares",
    apply: () => "ram",
    decide: (unit) =>
      unit.map(({ resolved, facts }) => {
        const factors = resolved.models.map((_, m) => {
          const [alone = 0, shared = 0] = facts[m] ?? [];
          return factor?.(resolved, { alone, shared }) ?? 1;
        });
        return { constants: constantsOf(resolved, factor === null, factors), shares: null };
      }),
    reference: (unit) => unit.map((tensor) => mergeChanged(tensor, factor)),
  });
}

/** Reference: the rule element by element, in float64. */
function mergeChanged(tensor: ReferenceTensor, factor: RamMethod["factor"]): Float64Array {
  const { base, models, resolved } = tensor;
  const step = (value: number) => stepped(resolved, value);
  // mergekit scales by a float32 tensor, and rounds nothing from there on.
  const late = factor ? (value: number) => value : step;
  const deltas = models.map((model) => deltasOf(tensor, model));
  const changes = (m: number, i: number) =>
    Math.abs(Math.fround(deltas[m]![i]!)) > epsilonOf(resolved);
  const counts = base!.map((_, i) => deltas.filter((_, m) => changes(m, i)).length);
  const factors = deltas.map((_, m) => {
    const own = [...counts].filter((_, i) => changes(m, i));
    const alone = own.filter((count) => count === 1).length;
    return factor?.(resolved, { alone, shared: own.length - alone }) ?? 1;
  });
  return base!.map((own, i) => {
    const terms = deltas.map((delta, m) => {
      if (!changes(m, i)) return 0;
      return counts[i] === 1 ? late(factors[m]! * delta[i]!) : step(delta[i]! / counts[i]!);
    });
    return late(step(own) + late(terms.reduce((sum, term) => sum + term, 0)));
  });
}
