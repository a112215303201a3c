import { EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { Cut, Decision, Facts, SelectedTensor, UnitTensor } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";

/**
 * What was measured: per rule in shaders/reduce, per tensor, per model of that tensor. A selection
 * lies there too, under its rule in shaders/score, as `[bits, before, kept, 0]`.
 */
export type FactTable = ReadonlyMap<string, ReadonlyMap<string, readonly Facts[]>>;

/** Where a selection by a score lies among the facts. */
export const selectionRule = (score: string) => `score/${score}`;

const toCut = ([bits, before, kept]: Facts): Cut => ({ bits, before, kept });

/** A tensor with what was selected of it; null while the selection is missing. */
export function seeSelected(
  plan: Plan,
  { name, elementCount, resolved, present }: OutputTensor,
  facts: FactTable,
): SelectedTensor | null {
  const keys = present.map((i) => plan.keys[i]!);
  const selection = plan.method.select?.(resolved) ?? null;
  const cuts = selection ? facts.get(selectionRule(selection.rule))?.get(name)?.map(toCut) : [];
  return cuts ? { name, elementCount, resolved, keys, cuts } : null;
}

function see(plan: Plan, output: OutputTensor, facts: FactTable): UnitTensor | null {
  const selected = seeSelected(plan, output, facts);
  const rule = plan.method.reduce(output.resolved);
  const measured = rule === null ? [] : facts.get(rule)?.get(output.name);
  return selected && measured ? { ...selected, facts: measured } : null;
}

/** The merged tensors of a plan, by the unit that is decided together. */
export function groupUnits(plan: Plan): readonly (readonly OutputTensor[])[] {
  const units = new Map<string, OutputTensor[]>();
  for (const output of plan.outputs) {
    if (output.action !== "merge") continue;
    const unit = units.get(output.unit);
    if (unit) unit.push(output);
    else units.set(output.unit, [output]);
  }
  return [...units.values()];
}

/** Decides one unit; null while a fact of it is missing. */
export function decideUnit(
  plan: Plan,
  unit: readonly OutputTensor[],
  facts: FactTable,
): ReadonlyMap<string, Decision> | null {
  const seen = unit.map((output) => see(plan, output, facts));
  const known = seen.filter((tensor) => tensor !== null);
  if (known.length < seen.length) return null;
  const decisions = plan.method.decide(known);
  return new Map(known.map(({ name }, i) => [name, decisions[i] as Decision]));
}

/**
 * Every merged tensor's constants. `nonfinite` where a method divides by nothing: better no file than
 * a file of NaN.
 */
export function decideAll(plan: Plan, facts: FactTable): ReadonlyMap<string, Decision> {
  const all = new Map<string, Decision>();
  for (const unit of groupUnits(plan)) {
    const decisions = decideUnit(plan, unit, facts);
    invariant(decisions, `"${unit[0]!.name}" was measured`);
    for (const [tensor, decision] of decisions) {
      if (!decision.constants.every((constant) => Number.isFinite(Math.fround(constant)))) {
        throw new EngineError(
          "nonfinite",
          `"${tensor}": ${plan.method.title} comes to coefficients that are no finite numbers. Do the weights sum to 0, or does a model hold NaN or infinity?`,
          { tensor },
        );
      }
      all.set(tensor, decision);
    }
  }
  return all;
}
