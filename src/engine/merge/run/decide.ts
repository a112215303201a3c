import { EngineError } from "../../contract/index.ts";
import type { Decision, SelectedTensor, UnitTensor } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import type { Measured } from "./measured.ts";
import { partOf, reductionOf } from "./rules.ts";

/** A tensor with its cuts; null while the selection is missing. */
export function seeSelected(
  plan: Plan,
  { name, elementCount, resolved, present, base }: OutputTensor,
  { cuts: all }: Measured,
): SelectedTensor | null {
  const keys = present.map((i) => plan.keys[i]!);
  const selection = plan.method.select?.(resolved) ?? null;
  const cuts = selection ? all.get(selection.rule)?.get(name) : [];
  return cuts ? { name, elementCount, resolved, keys, cuts, hasBase: base !== null } : null;
}

function see(plan: Plan, output: OutputTensor, measured: Measured): UnitTensor | null {
  const selected = seeSelected(plan, output, measured);
  const reduction = reductionOf(plan, output);
  const facts = reduction ? measured.facts.get(reduction.rule)?.get(output.name) : [];
  return selected && facts ? { ...selected, facts } : null;
}

/** Merged tensors of a plan, grouped by the unit that they are decided in. */
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

/** Decisions of one unit; null while a sum is missing, or where it is decided in parts. */
export function decideUnit(
  plan: Plan,
  unit: readonly OutputTensor[],
  measured: Measured,
): ReadonlyMap<string, Decision> | null {
  if (unit.some((output) => partOf(plan, output) !== "tensor")) return null;
  const seen = unit.map((output) => see(plan, output, measured));
  const known = seen.filter((tensor) => tensor !== null);
  if (known.length < seen.length) return null;
  const decisions = plan.method.decide(known);
  return new Map(known.map(({ name }, i) => [name, decisions[i] as Decision]));
}

/**
 * Throws `nonfinite` where a method's constants are not finite, before a file of NaN is written.
 */
export function requireFinite(
  plan: Plan,
  tensor: string,
  { constants }: Decision,
  where = `"${tensor}"`,
): void {
  if (constants.every((constant) => Number.isFinite(Math.fround(constant)))) return;
  throw new EngineError(
    "nonfinite",
    `${where}: ${plan.method.title} comes to coefficients that are no finite numbers. Do the weights sum to 0, or does a model hold NaN or infinity?`,
    { tensor },
  );
}
