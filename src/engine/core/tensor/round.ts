import type { OutputDType } from "../../contract/index.ts";
import { bf16ToF32, f16ToF32Bits, f32BitsToF16, f32ToBf16 } from "./convert.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function roundToF16(value: number): number {
  float[0] = value;
  bits[0] = f16ToF32Bits(f32BitsToF16(bits[0]!));
  return float[0];
}

/** Value rounded to a dtype by way of float32: to nearest, ties to even. */
export function roundTo(value: number, dtype: OutputDType): number {
  if (dtype === "F32") return Math.fround(value);
  return dtype === "BF16" ? bf16ToF32(f32ToBf16(value)) : roundToF16(value);
}
