import { invariant } from "../../core/invariant.ts";
import { countParts } from "../../gpu/tiles/tiling.ts";
import type { Facts } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { requireFinite } from "./decide.ts";
import { layoutOf, ownRule, reductionOf } from "./rules.ts";
import { Sums, sumTile } from "./sum.ts";
import type { PassOptions, TensorTiles } from "./tensorTiles.ts";

/** Decisions of a tensor whose rows or columns are each decided by themselves. */
export interface PartDecisions {
  /** Constants of all parts, one after the other. */
  readonly constants: Float32Array;
  /** Sums of each model over the tensor's elements: Σ share, Σ share², 0, 0. */
  readonly shares: readonly Facts[];
}

/**
 * Sums and decides each row or column of a tensor as if it were a tensor. Decisions are kept for
 * one tensor at a time: a model has millions of rows.
 */
export async function decideParts(
  plan: Plan,
  tiles: TensorTiles,
  options: PassOptions,
): Promise<PartDecisions> {
  const { output } = tiles;
  const reduction = reductionOf(plan, output);
  invariant(reduction, "who decides in parts sums them");
  const layout = layoutOf(plan, output);
  const rule = ownRule(plan, output, reduction, []);
  const sums = new Sums(layout, rule.rows);
  const summed = tiles.each(layout, options, async (slot) => {
    const partials = await sumTile(slot, rule);
    return { tile: slot.tile, partials };
  });
  for await (const { tile, partials } of summed) sums.add(tile, partials);
  return decideEach(plan, output, countParts(layout), sums);
}

function decideEach(plan: Plan, output: OutputTensor, parts: number, sums: Sums): PartDecisions {
  const { name, resolved, present, base } = output;
  const elementCount = parts > 0 ? output.elementCount / parts : 0;
  const keys = present.map((i) => plan.keys[i]!);
  const about = { name, elementCount, resolved, keys, cuts: [], hasBase: base !== null };
  let constants = new Float32Array(0);
  const totals = output.models.map(() => [0, 0]);
  for (let part = 0; part < parts; part++) {
    const [decision] = plan.method.decide([{ ...about, facts: sums.factsOf(part) }]);
    invariant(decision?.shares, "a part has one share of each model");
    requireFinite(plan, name, decision, `"${name}", part ${part}`);
    const each = decision.constants.length;
    if (part === 0) constants = new Float32Array(parts * each);
    constants.set(decision.constants, part * each);
    for (const [m, share] of decision.shares.entries()) {
      totals[m]![0]! += share * elementCount;
      totals[m]![1]! += share * share * elementCount;
    }
  }
  return { constants, shares: totals.map(([sum, square]): Facts => [sum!, square!, 0, 0]) };
}
