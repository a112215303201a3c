import { placeTensor } from "../../checkpoint/place.ts";
import { type Recipe, sourceLists, type WeightCell, type WeightMap } from "../../contract/index.ts";
import type { Facts } from "../method.ts";
import { gramOf } from "../methods/span/gram.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { decideUnit, groupUnits } from "../run/decide.ts";
import type { FactTable, Measured } from "../run/measured.ts";
import { partOf, partShares, reductionOf } from "../run/rules.ts";
import { writeHeadline } from "./headline.ts";

/** Whether the recipe states a model's share of exactly this tensor by hand. */
function isLocked(recipe: Recipe, override: string | null, tensor: string): boolean {
  if (override === null) return false;
  return sourceLists(recipe)
    .flat()
    .some(({ parameters }) => {
      const setting = Object.hasOwn(parameters, override) ? parameters[override] : undefined;
      if (!Array.isArray(setting)) return false;
      return setting.some(
        (entry) => typeof entry === "object" && entry !== null && entry.filter === tensor,
      );
    });
}

/**
 * Values of the models that have the tensor, spread over all models of the recipe; 0 for the
 * others.
 */
function spreadOut(plan: Plan, { present }: OutputTensor, values: readonly number[]): number[] {
  const all = plan.keys.map(() => 0);
  for (const [i, m] of present.entries()) all[m] = values[i]!;
  return all;
}

const allFinite = (values: readonly number[] | null) =>
  values?.every((value) => Number.isFinite(value)) ? values : null;

/**
 * Name of the reduce rule that sums Σ share and Σ share², for tensors whose shares differ by
 * element; else null.
 */
function sharesRule(plan: Plan, output: OutputTensor): string | null {
  const reduction = reductionOf(plan, output);
  if (reduction && partOf(plan, output) !== "tensor") return partShares(reduction);
  return plan.method.elementShares?.(output.resolved) ?? null;
}

/** Mean and standard deviation, per model, of shares that differ by element or by row. */
function spreadShares(plan: Plan, output: OutputTensor, facts: FactTable) {
  const rule = sharesRule(plan, output);
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

/** Sums over elements that describe one model's change δ from the base. */
interface Change {
  /**
   * Σ δ·rest and Σ rest², where rest is the sum of the other models' changes; null where not
   * measured.
   */
  readonly agreement: readonly [product: number, rest: number] | null;
  /** Σ base². */
  readonly base: number;
  /** Σ δ². */
  readonly delta: number;
}

/**
 * Changes from inner products of the weights. Null where a change is below 1e-5 of the weights: the
 * difference of float32 sums has no correct digits there.
 */
function changesFromGram(facts: readonly Facts[], models: number): readonly Change[] {
  const gram = gramOf(facts, models + 1);
  const base = gram[0]![0]!;
  return gram.slice(1).map((row, i) => {
    const delta = row[i + 1]! + base - 2 * row[0]!;
    return { agreement: null, base, delta: delta > 1e-5 * base ? delta : Number.NaN };
  });
}

/** Change of each model that has the tensor, from whichever reduce rule measured it. */
function changesOf(
  { method }: Plan,
  { name, base, models }: OutputTensor,
  facts: FactTable,
): readonly Change[] | null {
  const agreement = facts.get("agreement")?.get(name);
  if (agreement) {
    return agreement.map(([product, rest, square, delta]) => {
      return { agreement: [product, rest], base: square, delta };
    });
  }
  const gram = method.blendsBase && base ? facts.get("gram")?.get(name) : undefined;
  return gram ? changesFromGram(gram, models.length) : null;
}

/** Relative change √(Σδ² / Σ base²); null where the base is 0. */
function relativeChange({ delta, base }: Change): number | null {
  if (delta === 0) return 0;
  const change = Math.sqrt(delta / base);
  return Number.isFinite(change) ? change : null;
}

function measuredChange(plan: Plan, output: OutputTensor, facts: FactTable) {
  const changes = changesOf(plan, output, facts)?.map(relativeChange);
  if (!changes?.every((change) => change !== null)) return null;
  return spreadOut(plan, output, changes);
}

const addChanges = (one: Change, other: Change): Change => ({
  agreement:
    one.agreement && other.agreement
      ? [one.agreement[0] + other.agreement[0], one.agreement[1] + other.agreement[1]]
      : null,
  base: one.base + other.base,
  delta: one.delta + other.delta,
});

/** Change of each model over all merged tensors where it was measured. */
function summarise(plan: Plan, facts: FactTable): WeightMap["summary"] {
  const totals: (Change | undefined)[] = plan.keys.map(() => undefined);
  for (const output of plan.outputs) {
    const changes = output.action === "merge" ? changesOf(plan, output, facts) : null;
    for (const [i, change] of (changes ?? []).entries()) {
      const m = output.present[i]!;
      const sum = totals[m];
      totals[m] = sum ? addChanges(sum, change) : change;
    }
  }
  return plan.keys.map((model, m) => {
    const total = totals[m];
    if (!total) return { model, change: null, cosine: null };
    const [product, rest] = total.agreement ?? [Number.NaN, Number.NaN];
    const cosine = product / Math.sqrt(rest * total.delta);
    return {
      model,
      change: relativeChange(total),
      cosine: plan.keys.length > 1 && Number.isFinite(cosine) ? cosine : null,
    };
  });
}

/**
 * Weight map from the measured sums: a cell with shares for each output tensor, and each model's
 * change from the base. Changes come from the rule "agreement", or from the inner products of a
 * blended base.
 */
export function makeWeightMap(plan: Plan, measured: Measured): WeightMap {
  const { facts } = measured;
  const { method, recipe, keys } = plan;
  const decided = new Map<string, readonly number[] | null>();
  for (const unit of groupUnits(plan)) {
    const decisions = decideUnit(plan, unit, measured);
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
      : spreadShares(plan, output, facts);
    return { ...place, ...shown, change: measuredChange(plan, output, facts) };
  });

  const needsFacts = new Set(
    plan.outputs
      .filter(
        ({ action, resolved }) =>
          action === "merge" && (method.reduce?.(resolved) || method.elementShares?.(resolved)),
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
