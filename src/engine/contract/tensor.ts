/** Dtypes of safetensors, in the format's spelling. */
export const DTYPES = [
  "F64",
  "F32",
  "F16",
  "BF16",
  "F8_E4M3",
  "F8_E5M2",
  "F8_E8M0",
  "F8_E4M3FNUZ",
  "F8_E5M2FNUZ",
  "F6_E2M3",
  "F6_E3M2",
  "F4",
  "C64",
  "I64",
  "I32",
  "I16",
  "I8",
  "U64",
  "U32",
  "U16",
  "U8",
  "BOOL",
] as const;

export type DType = (typeof DTYPES)[number];

/** Dtypes that a merge can write. */
export type OutputDType = "F32" | "F16" | "BF16";

export interface TensorCard {
  readonly name: string;
  readonly dtype: DType;
  /** Length of each axis, outermost first. */
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** File of the checkpoint that holds it. */
  readonly file: string;
}
