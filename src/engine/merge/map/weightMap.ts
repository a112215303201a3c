import { placeTensor } from "../../checkpoint/place.ts";
import type { Recipe, WeightCell, WeightMap } from "../../contract/index.ts";
import type { Facts } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { decideUnit, type FactTable, groupUnits } from "../run/decide.ts";
import { writeHeadline } from "./headline.ts";

/** True where a model's override parameter has an entry for exactly this tensor. */
function isLocked(recipe: Recipe, override: string | null, tensor: string): boolean {
  if (override === null) return false;
  return recipe.models.some(({ parameters }) => {
    const setting = Object.hasOwn(parameters, override) ? parameters[override] : undefined;
    if (!Array.isArray(setting)) return false;
    return setting.some(
      (entry) => typeof entry === "object" && entry !== null && entry.filter === tensor,
    );
  });
}

/** Values of the present models at the places of all models; the others get 0. */
function spreadOut(plan: Plan, { present }: OutputTensor, values: readonly number[]): number[] {
  const all = plan.keys.map(() => 0);
  for (const [i, m] of present.entries()) all[m] = values[i]!;
  return all;
}

const allFinite = (values: readonly number[] | null) =>
  values?.every((value) => Number.isFinite(value)) ? values : null;

/** Mean and standard deviation of the shares that differ from element to element. */
function elementShares(plan: Plan, output: OutputTensor, facts: FactTable) {
  const rule = plan.method.elementShares?.(output.resolved) ?? null;
  const sums = rule === null ? undefined : facts.get(rule)?.get(output.name);
  if (!sums || output.elementCount === 0) return { shares: null, spread: null };
  const means = sums.map(([sum]) => sum / output.elementCount);
  const spread = sums.map(([, square], i) =>
    Math.sqrt(Math.max(0, square / output.elementCount - means[i]! ** 2)),
  );
  return {
    shares: allFinite(spreadOut(plan, output, means)),
    spread: allFinite(spreadOut(plan, output, spread)),
  };
}

/**
 * ‖x − b‖² from lengths and product. The difference of sums in float32 drowns a change below a part in
 * 1e5: then it is not known.
 */
function changeFromDots([base, model, product]: Facts): readonly [delta: number, base: number] {
  const delta = model + base - 2 * product;
  return [delta > 1e-5 * base ? delta : Number.NaN, base];
}

/** Σδ² and Σ base² of each present model, from whichever rule knows them. */
function changeSums(
  { name }: OutputTensor,
  facts: FactTable,
): readonly (readonly [delta: number, base: number])[] | null {
  const agreement = facts.get("agreement")?.get(name);
  if (agreement) return agreement.map(([, , base, delta]) => [delta, base]);
  const dots = facts.get("dots")?.get(name);
  if (!dots) return null;
  return dots.map(changeFromDots);
}

/** √(Σδ² / Σ base²); a change from nothing has no size. */
function relativeChange(delta: number, base: number): number | null {
  if (delta === 0) return 0;
  const change = Math.sqrt(delta / base);
  return Number.isFinite(change) ? change : null;
}

function measuredChange(plan: Plan, output: OutputTensor, facts: FactTable) {
  const sums = changeSums(output, facts);
  const changes = sums?.map(([delta, base]) => relativeChange(delta, base));
  if (!changes?.every((change) => change !== null)) return null;
  return spreadOut(plan, output, changes);
}

/** Sums of the merged tensors' facts, at the place of each model; null where none is known. */
function addFacts(plan: Plan, facts: FactTable, rule: string): readonly number[][] | null {
  const known = facts.get(rule);
  if (!known) return null;
  const totals = plan.keys.map(() => [0, 0, 0, 0]);
  let found = false;
  for (const output of plan.outputs) {
    const sums = output.action === "merge" ? known.get(output.name) : undefined;
    if (!sums) continue;
    found = true;
    for (const [i, m] of output.present.entries()) {
      for (const [k, value] of (sums[i] as Facts).entries()) totals[m]![k]! += value;
    }
  }
  return found ? totals : null;
}

function summarise(plan: Plan, facts: FactTable): WeightMap["summary"] {
  const agreement = addFacts(plan, facts, "agreement");
  const dots = agreement ? null : addFacts(plan, facts, "dots");
  return plan.keys.map((model, m) => {
    if (agreement) {
      const [product, rest, base, delta] = agreement[m] as unknown as Facts;
      const cosine = product / Math.sqrt(rest * delta);
      return {
        model,
        change: relativeChange(delta, base),
        cosine: plan.keys.length > 1 && Number.isFinite(cosine) ? cosine : null,
      };
    }
    if (!dots) return { model, change: null, cosine: null };
    const change = relativeChange(...changeFromDots(dots[m] as unknown as Facts));
    return { model, change, cosine: null };
  });
}

/**
 * The weight map as far as the facts reach: every output tensor in its place with its shares, and
 * what the models as wholes did. Facts of the rules "agreement" and "dots" give the changes.
 */
export function makeWeightMap(plan: Plan, facts: FactTable): WeightMap {
  const { method, recipe, keys } = plan;
  const decided = new Map<string, readonly number[] | null>();
  for (const unit of groupUnits(plan)) {
    const decisions = decideUnit(plan, unit, facts);
    for (const [tensor, { shares }] of decisions ?? []) decided.set(tensor, shares);
  }

  const cells = plan.outputs.map((output): WeightCell => {
    const { name, shape, elementCount, action } = output;
    const merged = action === "merge";
    const place = {
      ...placeTensor(name),
      tensor: name,
      shape,
      elementCount,
      locked: merged && isLocked(recipe, method.override, name),
      merged,
    };
    if (!merged) return { ...place, shares: null, spread: null, change: null };
    const constant = decided.get(name) ?? null;
    const shown = constant
      ? { shares: allFinite(spreadOut(plan, output, constant)), spread: null }
      : elementShares(plan, output, facts);
    return { ...place, ...shown, change: measuredChange(plan, output, facts) };
  });

  const needsFacts = new Set(
    plan.outputs
      .filter(
        ({ action, resolved }) =>
          action === "merge" &&
          (method.reduce(resolved) !== null || method.elementShares?.(resolved)),
      )
      .map(({ name }) => name),
  );
  const needing = cells.filter(({ tensor }) => needsFacts.has(tensor));
  return {
    models: keys,
    cells,
    measured: needing.filter(({ shares }) => shares !== null).length,
    total: needing.length,
    headline: writeHeadline({ models: keys, cells }),
    summary: summarise(plan, facts),
  };
}
