import type { DType } from "../../contract/index.ts";

const F32_NAN = 0x7fc00000;

/**
 * Special codes of an 8-bit float: `ieee` has infinities, `fn` one NaN per sign, `fnuz` only NaN at
 * 0x80.
 */
interface Float8 {
  readonly mantissaBits: number;
  readonly bias: number;
  readonly specials: "ieee" | "fn" | "fnuz";
}

/** OCP 8-bit floats, and the AMD/Graphcore variants without infinity and negative zero. */
const FORMATS: { readonly [dtype in DType]?: Float8 } = {
  F8_E4M3: { mantissaBits: 3, bias: 7, specials: "fn" },
  F8_E5M2: { mantissaBits: 2, bias: 15, specials: "ieee" },
  F8_E4M3FNUZ: { mantissaBits: 3, bias: 8, specials: "fnuz" },
  F8_E5M2FNUZ: { mantissaBits: 2, bias: 16, specials: "fnuz" },
};

const tables = new Map<DType, Uint32Array>();

/** The f32 bits of all 256 codes of an 8-bit float, or null for any other dtype. */
export function float8Table(dtype: DType): Uint32Array | null {
  const known = tables.get(dtype);
  if (known) return known;
  const format = FORMATS[dtype];
  if (!format && dtype !== "F8_E8M0") return null;
  const table = Uint32Array.from({ length: 256 }, (_, code) =>
    format ? widen(code, format) : widenExponent(code),
  );
  tables.set(dtype, table);
  return table;
}

function widen(code: number, { mantissaBits, bias, specials }: Float8): number {
  const sign = (code & 0x80) << 24;
  const exponentMax = 0x7f >>> mantissaBits;
  const exponent = (code & 0x7f) >>> mantissaBits;
  const mantissa = code & ((1 << mantissaBits) - 1);
  if (specials === "fnuz" && code === 0x80) return F32_NAN;
  if (specials === "fn" && (code & 0x7f) === 0x7f) return (sign | F32_NAN) >>> 0;
  if (specials === "ieee" && exponent === exponentMax) {
    return (sign | 0x7f800000 | (mantissa << (23 - mantissaBits))) >>> 0;
  }
  if (exponent !== 0) {
    return (sign | ((exponent - bias + 127) << 23) | (mantissa << (23 - mantissaBits))) >>> 0;
  }
  if (mantissa === 0) return sign >>> 0;
  const shift = Math.clz32(mantissa) - (31 - mantissaBits);
  const fraction = (mantissa << shift) & ((1 << mantissaBits) - 1);
  return (sign | ((128 - bias - shift) << 23) | (fraction << (23 - mantissaBits))) >>> 0;
}

/** E8M0 is a power of two, 2^(code - 127), and 0xff is NaN; code 0 is subnormal in f32. */
function widenExponent(code: number): number {
  return code === 0xff ? F32_NAN : code === 0 ? 0x00400000 : code << 23;
}
