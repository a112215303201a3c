import { invariant } from "../../core/invariant.ts";
import { toF64 } from "../../core/tensor/convert.ts";
import type { Segment, TileInput } from "../../gpu/tiles/tileInput.ts";
import type { Derivation } from "../method.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";

/** Values of a tensor's lines, model by model, NaN where not derived yet. */
const known = new WeakMap<OutputTensor, readonly Float32Array[]>();

/** How a method derives values of lines. */
export type LineDerivation = Pick<Extract<Derivation, { line: unknown }>, "models" | "line">;

/** Values of its lines for each element of a tile, model by model, as stored float32. */
export function deriveLines(
  output: OutputTensor,
  tile: TileInput,
  derivation: LineDerivation,
  length: number,
): readonly Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: derivation.models }, (_, model) =>
    spreadLines(output, tile, derivation, length, model),
  );
}

/** Value of its line for each element of a tile, as stored float32. */
function spreadLines(
  output: OutputTensor,
  { first, elementCount, segments }: TileInput,
  derivation: LineDerivation,
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
