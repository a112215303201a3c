import { type DType, EngineError, type OutputDType } from "../../contract/index.ts";
import { invariant } from "../invariant.ts";
import { bitsPerElement } from "./dtype.ts";
import { float8Table } from "./float8.ts";

/*
 * Exact conversions between float formats, on bit patterns, because a NaN that passes through a
 * JavaScript number may lose its payload. shaders/lib/float.wgsl is the same arithmetic.
 *
 * NaN: widening moves sign and payload unchanged; narrowing keeps the sign and the top payload bits
 * and sets the quiet bit, so that no NaN becomes an infinity.
 * All memory is little-endian, as every machine with WebGPU is.
 */

/** The f32 bits of a bf16 value: exact. */
export function bf16ToF32Bits(bits: number): number {
  return (bits << 16) >>> 0;
}

/**
 * The nearest bf16 to an f32, ties to even; overflow gives infinity. NaN: keep the sign and the top
 * seven payload bits, set the quiet bit (0x0040).
 */
export function f32BitsToBf16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x0040;
  return ((bits >>> 0) + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

const oneFloat = new Float32Array(1);
const oneWord = new Uint32Array(oneFloat.buffer);

/** The bf16 pattern nearest to a number, which is rounded to float32 first. */
export function f32ToBf16(value: number): number {
  oneFloat[0] = value;
  return f32BitsToBf16(oneWord[0]!);
}

/** The value of a bf16 pattern. */
export function bf16ToF32(bits: number): number {
  oneWord[0] = bf16ToF32Bits(bits);
  return oneFloat[0]!;
}

/** The f32 bits of an f16 value: exact, subnormals included. */
export function f16ToF32Bits(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  const shift = Math.clz32(mantissa) - 21; // brings the leading one to bit 10, where it is implied
  return (sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)) >>> 0;
}

/**
 * The nearest f16 to an f32, ties to even; from 65520 on infinity, below 2^-14 subnormal. NaN: keep
 * the sign and the top ten payload bits, set the quiet bit (0x0200).
 */
export function f32BitsToF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude < 0x33000000) return sign; // under half of the smallest subnormal, 2^-24
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const whole = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (whole + (rest > half || (rest === half && (whole & 1) === 1) ? 1 : 0));
}

/**
 * The values of a tensor's bytes as float32. F64 is rounded to the nearest. F32 bytes that are
 * aligned come back as a view of the same memory. `bad-dtype` for complex and sub-byte.
 */
export function toF32(bytes: Uint8Array, dtype: DType): Float32Array<ArrayBuffer> {
  if (dtype === "F32") return elements(bytes, Float32Array, 4);
  if (dtype === "F16" || dtype === "BF16") {
    const input = elements(bytes, Uint16Array, 2);
    const output = new Uint32Array(input.length);
    if (dtype === "F16") {
      for (let i = 0; i < input.length; i++) output[i] = f16ToF32Bits(input[i]!);
    } else {
      for (let i = 0; i < input.length; i++) output[i] = input[i]! << 16;
    }
    return new Float32Array(output.buffer);
  }
  const table = float8Table(dtype);
  if (table) {
    const output = new Uint32Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) output[i] = table[bytes[i]!]!;
    return new Float32Array(output.buffer);
  }
  return new Float32Array(wideNumbers(bytes, dtype));
}

/**
 * The values of a tensor's bytes as float64: exact for all but I64 and U64, which are rounded to
 * the nearest. `bad-dtype` for complex and sub-byte.
 */
export function toF64(bytes: Uint8Array, dtype: DType): Float64Array<ArrayBuffer> {
  const narrow =
    dtype === "F32" || dtype === "F16" || dtype === "BF16" || float8Table(dtype) !== null;
  return narrow ? new Float64Array(toF32(bytes, dtype)) : wideNumbers(bytes, dtype);
}

/**
 * Float32 values as a tensor's bytes, rounded to nearest, ties to even. F32 comes back as a view of
 * the same memory.
 */
export function fromF32(
  values: Float32Array<ArrayBuffer>,
  dtype: OutputDType,
): Uint8Array<ArrayBuffer> {
  if (dtype === "F32") {
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }
  const input = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const output = new Uint16Array(input.length);
  if (dtype === "F16") {
    for (let i = 0; i < input.length; i++) output[i] = f32BitsToF16(input[i]!);
  } else {
    for (let i = 0; i < input.length; i++) output[i] = f32BitsToBf16(input[i]!);
  }
  return new Uint8Array(output.buffer);
}

/** F64, integers and booleans as float64. */
function wideNumbers(bytes: Uint8Array, dtype: DType): Float64Array<ArrayBuffer> {
  switch (dtype) {
    case "F64":
      return elements(bytes, Float64Array, 8);
    case "I64":
      return Float64Array.from(elements(bytes, BigInt64Array, 8), Number);
    case "U64":
      return Float64Array.from(elements(bytes, BigUint64Array, 8), Number);
    case "I32":
      return new Float64Array(elements(bytes, Int32Array, 4));
    case "U32":
      return new Float64Array(elements(bytes, Uint32Array, 4));
    case "I16":
      return new Float64Array(elements(bytes, Int16Array, 2));
    case "U16":
      return new Float64Array(elements(bytes, Uint16Array, 2));
    case "I8":
      return new Float64Array(elements(bytes, Int8Array, 1));
    case "U8":
    case "BOOL":
      return new Float64Array(bytes);
    default:
      throw new EngineError(
        "bad-dtype",
        `Values of dtype ${dtype} (${bitsPerElement(dtype)} bits each) cannot be read as numbers; such tensors are only described.`,
        { dtype },
      );
  }
}

/** The bytes as a typed array: in place where they are aligned, else copied. */
function elements<T>(
  bytes: Uint8Array,
  ArrayType: new (buffer: ArrayBuffer, byteOffset: number, length: number) => T,
  width: number,
): T {
  invariant(bytes.byteLength % width === 0, `${bytes.byteLength} bytes hold whole elements`);
  const inPlace = bytes.byteOffset % width === 0 && bytes.buffer instanceof ArrayBuffer;
  const from = inPlace ? bytes : new Uint8Array(bytes);
  return new ArrayType(from.buffer as ArrayBuffer, from.byteOffset, bytes.byteLength / width);
}
