import { bf16ToF32, f16ToF32Bits, f32BitsToF16, f32ToBf16 } from "../core/tensor/convert.ts";

/** The bf16 nearest to a number. */
export const toBf16 = (value: number): number => bf16ToF32(f32ToBf16(value));
export const exactly = (value: number): number => value;

/** The largest finite f16. */
const MOST_F16 = 65504;
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * Nearest f16 to a number. Numbers below the f16 range, -∞ included, become the lowest f16, which
 * is a probability of 0 either way.
 */
export function toF16(value: number): number {
  float[0] = Math.max(value, -MOST_F16);
  bits[0] = f16ToF32Bits(f32BitsToF16(bits[0]!));
  return float[0]!;
}
