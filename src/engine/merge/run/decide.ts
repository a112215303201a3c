import { EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { Decision, SelectedTensor, UnitTensor } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import type { Measured } from "./measured.ts";
import { partOf, reductionOf } from "./rules.ts";

/** A tensor with what was selected of it; null while the selection is missing. */
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

/** Decides one unit; null while a fact of it is missing, or where it is decided in parts. */
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

/** `nonfinite` where a method divides by nothing: better no file than a file of NaN. */
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

/** The constants of every merged tensor but those that are decided in parts (`decideParts`). */
export function decideAll(plan: Plan, measured: Measured): ReadonlyMap<string, Decision> {
  const all = new Map<string, Decision>();
  for (const unit of groupUnits(plan)) {
    if (partOf(plan, unit[0]!) !== "tensor") continue;
    const decisions = decideUnit(plan, unit, measured);
    invariant(decisions, `"${unit[0]!.name}" was measured`);
    for (const [tensor, decision] of decisions) {
      requireFinite(plan, tensor, decision);
      all.set(tensor, decision);
    }
  }
  return all;
}
