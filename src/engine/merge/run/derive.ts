import { invariant } from "../../core/invariant.ts";
import { toF64 } from "../../core/tensor/convert.ts";
import { PLAIN_FORMATS } from "../../core/tensor/weightFormat.ts";
import type { Segment, TileInput } from "../../gpu/tiles/tileInput.ts";
import type { TileSlot } from "../../gpu/tiles/tileSlot.ts";
import type { Derivation } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { linesOf } from "./rules.ts";

/** Values of a tensor's lines, model by model, NaN where not derived yet. */
const known = new WeakMap<OutputTensor, readonly Float32Array[]>();

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
    const bytes =
      "rule" in derivation
        ? await slot.derive(tile, { rule: derivation.rule, lines, model })
        : spreadLines(output, tile, derivation, lines.length, model);
    segments.push({ format: PLAIN_FORMATS.F32, bytes });
  }
  return { ...tile, segments: [...tile.segments, ...segments], derived: segments.length };
}

/** Value of its line for each element of a tile, as stored float32. */
function spreadLines(
  output: OutputTensor,
  { first, elementCount, segments }: TileInput,
  derivation: Extract<Derivation, { line: unknown }>,
  length: number,
  model: number,
): Uint8Array<ArrayBuffer> {
  const lines = output.elementCount / length;
  const all =
    known.get(output) ??
    Array.from({ length: derivation.models }, () => new Float32Array(lines).fill(Number.NaN));
  known.set(output, all);
  const values = all[model]!;
  const read = ({ format: { name }, bytes }: Segment) => {
    const dtype = (["F32", "BF16", "F16"] as const).find((each) => each === name);
    invariant(dtype, "a tile holds floats");
    return toF64(bytes, dtype);
  };
  const result = new Float32Array(elementCount);
  const firstLine = first / length;
  const isKnown = values.subarray(firstLine, firstLine + elementCount / length);
  if (isKnown.includes(Number.NaN)) {
    const [base, own] = [read(segments[0]!), read(segments[model + 1]!)];
    for (let at = 0; at < elementCount; at += length) {
      const end = at + length;
      values[(first + at) / length] = derivation.line(
        base.subarray(at, end),
        own.subarray(at, end),
      );
    }
  }
  for (let at = 0; at < elementCount; at += length) {
    result.fill(values[(first + at) / length]!, at, at + length);
  }
  return new Uint8Array(result.buffer);
}
