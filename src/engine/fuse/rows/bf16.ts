import { bf16ToF32, f32ToBf16 } from "../../core/tensor/convert.ts";

/** The bf16 nearest to a number. */
export const toBf16 = (value: number): number => bf16ToF32(f32ToBf16(value));
export const exactly = (value: number): number => value;
