import type { Selection } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { decideUnit, seeSelected } from "./decide.ts";
import type { Measured } from "./measured.ts";
import { ownRule, partOf, partShares, reductionOf, rowPerModel, type TensorRule } from "./rules.ts";

/** Measurements of a tensor that are missing and can be made now. */
export interface Missing {
  readonly output: OutputTensor;
  readonly selection: Selection | null;
  /** Reduce rules to sum over the whole tensor. */
  readonly rules: readonly TensorRule[];
  /** Whether its rows or columns must be decided, for the shares in the map. */
  readonly parts: boolean;
}

/**
 * Lists what a unit still lacks, given what is measured by then. Some wait for others: a method's
 * sums for the selection, shares by element for the decision. With `captions`, also what only the
 * map shows.
 */
export function openMissing(
  plan: Plan,
  captions: readonly string[] | undefined,
): (unit: readonly OutputTensor[], known: Measured) => readonly Missing[] {
  const { method } = plan;

  function missingRules(output: OutputTensor, known: Measured): TensorRule[] {
    const selected = seeSelected(plan, output, known);
    if (!selected) return [];
    const lacks = (rule: string) => !known.facts.get(rule)?.has(output.name);
    const own = partOf(plan, output) === "tensor" ? reductionOf(plan, output) : null;
    const constants = method.reduceConstants?.(selected) ?? [];
    const rules = own && lacks(own.rule) ? [ownRule(plan, output, own, constants)] : [];
    const beside = output.base ? (captions ?? []) : [];
    return [...rules, ...beside.filter(lacks).map((rule) => rowPerModel(output, rule))];
  }

  /**
   * Rules for the map alone: the merge itself does not need the mean of shares that differ by
   * element.
   */
  function missingShares(unit: readonly OutputTensor[], known: Measured): Map<string, TensorRule> {
    const lacking = unit.flatMap((output) => {
      const rule = method.elementShares?.(output.resolved) ?? null;
      return rule === null || known.facts.get(rule)?.has(output.name) ? [] : [{ output, rule }];
    });
    const decisions = lacking.length > 0 ? decideUnit(plan, unit, known) : null;
    return new Map(
      lacking.flatMap(({ output, rule }) => {
        const decision = decisions?.get(output.name);
        if (!decision) return [];
        const linked = method.linked?.(output.resolved);
        return [[output.name, rowPerModel(output, rule, decision.constants, linked)] as const];
      }),
    );
  }

  function lacksParts(output: OutputTensor, known: Measured): boolean {
    const reduction = reductionOf(plan, output);
    if (captions === undefined || !reduction || partOf(plan, output) === "tensor") return false;
    return !known.facts.get(partShares(reduction))?.has(output.name);
  }

  return (unit, known) => {
    const shares = captions === undefined ? new Map() : missingShares(unit, known);
    return unit.flatMap((output): readonly Missing[] => {
      const wanted = method.select?.(output.resolved) ?? null;
      const made = wanted && known.cuts.get(wanted.rule)?.has(output.name);
      if (wanted && !made) return [{ output, selection: wanted, rules: [], parts: false }];
      const share = shares.get(output.name);
      const rules = [...missingRules(output, known), ...(share ? [share] : [])];
      const parts = lacksParts(output, known);
      return rules.length > 0 || parts ? [{ output, selection: null, rules, parts }] : [];
    });
  };
}
