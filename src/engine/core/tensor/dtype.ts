import type { DType, FloatName, OutputDType } from "../../contract/index.ts";
import { invariant } from "../invariant.ts";

/**
 * Treatment of a dtype in a merge. `gpu`: kernels read it directly; `convert`: widened to float32
 * on the CPU first; `copy`: integers and booleans, kept when equal in all models; `describe`:
 * listed, never merged.
 */
export type MergeRole = "gpu" | "convert" | "copy" | "describe";

interface DTypeFacts {
  readonly bits: number;
  readonly role: MergeRole;
  /** Name in torch without `torch.`; null where torch has none. */
  readonly torch: string | null;
}

const FACTS: Readonly<Record<DType, DTypeFacts>> = {
  F64: { bits: 64, role: "convert", torch: "float64" },
  F32: { bits: 32, role: "gpu", torch: "float32" },
  F16: { bits: 16, role: "gpu", torch: "float16" },
  BF16: { bits: 16, role: "gpu", torch: "bfloat16" },
  F8_E4M3: { bits: 8, role: "convert", torch: "float8_e4m3fn" },
  F8_E5M2: { bits: 8, role: "convert", torch: "float8_e5m2" },
  F8_E8M0: { bits: 8, role: "convert", torch: "float8_e8m0fnu" },
  F8_E4M3FNUZ: { bits: 8, role: "convert", torch: "float8_e4m3fnuz" },
  F8_E5M2FNUZ: { bits: 8, role: "convert", torch: "float8_e5m2fnuz" },
  F6_E2M3: { bits: 6, role: "describe", torch: null },
  F6_E3M2: { bits: 6, role: "describe", torch: null },
  F4: { bits: 4, role: "describe", torch: null },
  C64: { bits: 64, role: "describe", torch: "complex64" },
  I64: { bits: 64, role: "copy", torch: "int64" },
  I32: { bits: 32, role: "copy", torch: "int32" },
  I16: { bits: 16, role: "copy", torch: "int16" },
  I8: { bits: 8, role: "copy", torch: "int8" },
  U64: { bits: 64, role: "copy", torch: "uint64" },
  U32: { bits: 32, role: "copy", torch: "uint32" },
  U16: { bits: 16, role: "copy", torch: "uint16" },
  U8: { bits: 8, role: "copy", torch: "uint8" },
  BOOL: { bits: 8, role: "copy", torch: "bool" },
};

const SHORT_TORCH_NAMES: Readonly<Record<string, DType>> = {
  double: "F64",
  float: "F32",
  half: "F16",
};

const BY_TORCH_NAME: ReadonlyMap<string, DType> = new Map([
  ...Object.entries(SHORT_TORCH_NAMES),
  ...Object.entries(FACTS).flatMap(([dtype, { torch }]): [string, DType][] =>
    torch === null ? [] : [[torch, dtype as DType]],
  ),
]);

/** Bits of one element in a file: 4 to 64. */
export function bitsPerElement(dtype: DType): number {
  return FACTS[dtype].bits;
}

/** Bytes of `elementCount` elements. A sub-byte dtype must fill its last byte. */
export function byteLength(dtype: DType, elementCount: number): number {
  const bytes = (elementCount * FACTS[dtype].bits) / 8;
  invariant(Number.isSafeInteger(bytes), `${elementCount} elements of ${dtype} fill whole bytes`);
  return bytes;
}

/** Treatment of tensors of this dtype in a merge. */
export function mergeRole(dtype: DType): MergeRole {
  return FACTS[dtype].role;
}

/** Whether kernels read and write the dtype directly: F32, F16 and BF16. */
export function isOutputDType(dtype: DType): dtype is OutputDType {
  return FACTS[dtype].role === "gpu";
}

/** Dtype of a torch name, with or without `torch.`; null for an unknown one. */
export function dtypeFromTorch(name: string): DType | null {
  return BY_TORCH_NAME.get(name.replace(/^torch\./, "")) ?? null;
}

/** Name of a dtype in torch, transformers and mergekit, or null where torch has none. */
export function torchName(dtype: OutputDType): FloatName;
export function torchName(dtype: DType): string | null;
export function torchName(dtype: DType): string | null {
  return FACTS[dtype].torch;
}

/** Dtype of a recipe's `dtype` or `out_dtype`. */
export function dtypeFromFloatName(name: FloatName): OutputDType {
  return name === "float32" ? "F32" : name === "float16" ? "F16" : "BF16";
}
