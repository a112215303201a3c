import type { OutputDType } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { partsOf } from "../../gpu/tiles/tileInput.ts";
import { countParts } from "../../gpu/tiles/tiling.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { decideUnit, requireFinite } from "./decide.ts";
import type { Measuring } from "./measure.ts";
import { explainNonfinite } from "./nonfinite.ts";
import { decideParts } from "./parts.ts";
import { layoutOf, partOf, seesBase } from "./rules.ts";
import type { TileSession } from "./session.ts";
import type { TensorTiles } from "./tensorTiles.ts";

/** A tensor that is decided, with its tiles. */
export interface Prepared {
  readonly tiles: TensorTiles;
  /** Constants of the apply rule: of the tensor, or of its rows or columns one after another. */
  readonly constants: readonly number[] | Float32Array;
}

/** Takes a tensor's tiles, measures its unit as far as that is missing, and decides the tensor. */
export async function prepareTensor(
  plan: Plan,
  measuring: Measuring,
  session: TileSession,
  output: OutputTensor,
  unit: readonly OutputTensor[],
  signal: AbortSignal,
): Promise<Prepared> {
  // Tensors of one unit take their tiles one after another: all at once may not fit.
  const isAlone = unit.length === 1;
  if (!isAlone) await measuring.measureUnit(session, unit);
  const tiles = await session.take(output);
  try {
    if (isAlone) await measuring.measureUnit(session, unit, tiles);
    if (partOf(plan, output) !== "tensor") {
      const { constants } = await decideParts(plan, tiles, { signal });
      return { tiles, constants };
    }
    const decision = decideUnit(plan, unit, measuring.measured)?.get(output.name);
    invariant(decision, `"${output.name}" was measured`);
    requireFinite(plan, output.name, decision);
    return { tiles, constants: decision.constants };
  } catch (error) {
    tiles.release();
    throw error;
  }
}

/**
 * Merged elements of a tensor, tile by tile in order, from the tile that holds element `from` on;
 * `nonfinite` where one holds NaN or infinity.
 */
export async function* mergeTensor(
  plan: Plan,
  { tiles, constants }: Prepared,
  signal: AbortSignal,
  from: number,
): AsyncGenerator<{ readonly first: number; readonly bytes: Uint8Array<ArrayBuffer> }> {
  const { output } = tiles;
  const layout = layoutOf(plan, output);
  const each = layout.part === "tensor" ? 0 : constants.length / countParts(layout);
  const rule = {
    rule: plan.method.apply(output.resolved),
    linked: plan.method.linked?.(output.resolved),
    hasBase: seesBase(plan, output),
    seesDerived: true,
  };
  yield* tiles.each(
    layout,
    { signal },
    async (slot, tile) => {
      const { first, count } = partsOf(slot.tile);
      const own = each > 0 ? constants.slice(first * each, (first + count) * each) : constants;
      const applied = { ...rule, constants: own };
      const { bytes, nonfinite } = await slot.merge(applied, output.dtype as OutputDType);
      if (nonfinite > 0) throw await explainNonfinite(plan, output, tile);
      return { first: tile.first, bytes };
    },
    from,
  );
}
