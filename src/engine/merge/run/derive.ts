import { PLAIN_FORMATS } from "../../core/tensor/weightFormat.ts";
import type { Segment, TileInput } from "../../gpu/tiles/tileInput.ts";
import type { TileSlot } from "../../gpu/tiles/tileSlot.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { linesOf } from "./rules.ts";

/** A tile with the values that its method derives behind its models. */
export async function withDerived(
  plan: Pick<Plan, "method">,
  output: OutputTensor,
  tile: TileInput,
  slot: TileSlot,
): Promise<TileInput> {
  const derivation = plan.method.derive?.(output.resolved) ?? null;
  const lines = linesOf(plan, output);
  if (!derivation || !lines || tile.elementCount === 0) return tile;
  const segments: Segment[] = [];
  for (let model = 0; model < derivation.models; model++) {
    const bytes = await slot.derive(tile, { rule: derivation.rule, lines, model });
    segments.push({ format: PLAIN_FORMATS.F32, bytes });
  }
  return { ...tile, segments: [...tile.segments, ...segments], derived: segments.length };
}
