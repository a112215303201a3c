import type { Rule } from "../../gpu/tiles/tileSlot.ts";
import type { Selection } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { decideUnit, type FactTable, groupUnits, seeSelected, selectionRule } from "./decide.ts";

/** What must be found out about a tensor, and can be now: its selection, or sums of rules. */
export interface Missing {
  readonly output: OutputTensor;
  readonly selection: Selection | null;
  readonly rules: readonly Rule[];
}

/**
 * Tells, each time with what is known by then, what is still missing of a plan. One thing waits for
 * another: the method's own sums for the selection, the shares of single elements for the decision.
 */
export function openMissing(
  plan: Plan,
  captions: readonly string[] | undefined,
): (known: FactTable) => readonly Missing[] {
  const { method } = plan;
  const units = groupUnits(plan);

  function missingRules(output: OutputTensor, known: FactTable): Rule[] {
    const selected = seeSelected(plan, output, known);
    if (!selected) return [];
    const lacks = (rule: string) => !known.get(rule)?.has(output.name);
    const own = method.reduce(output.resolved);
    const constants = method.reduceConstants?.(selected) ?? [];
    const rules = own !== null && lacks(own) ? [{ rule: own, constants }] : [];
    const beside = output.base ? (captions ?? []) : [];
    return [...rules, ...beside.filter(lacks).map((rule) => ({ rule, constants: [] }))];
  }

  /** Only for the map: their means are of no use to the merge itself. */
  function missingShares(unit: readonly OutputTensor[], known: FactTable): Map<string, Rule> {
    const lacking = unit.flatMap((output) => {
      const rule = method.elementShares?.(output.resolved) ?? null;
      return rule === null || known.get(rule)?.has(output.name) ? [] : [{ output, rule }];
    });
    const decisions = lacking.length > 0 ? decideUnit(plan, unit, known) : null;
    return new Map(
      lacking.flatMap(({ output: { name }, rule }) => {
        const decision = decisions?.get(name);
        return decision ? [[name, { rule, constants: decision.constants }] as const] : [];
      }),
    );
  }

  return (known) =>
    units.flatMap((unit) => {
      const shares = captions === undefined ? new Map() : missingShares(unit, known);
      return unit.flatMap((output): readonly Missing[] => {
        const wanted = method.select?.(output.resolved) ?? null;
        const made = wanted && known.get(selectionRule(wanted.rule))?.has(output.name);
        if (wanted && !made) return [{ output, selection: wanted, rules: [] }];
        const share = shares.get(output.name);
        const rules = [...missingRules(output, known), ...(share ? [share] : [])];
        return rules.length > 0 ? [{ output, selection: null, rules }] : [];
      });
    });
}
