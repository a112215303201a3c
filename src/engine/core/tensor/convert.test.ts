import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTYPES, EngineError } from "../../contract/index.ts";
import {
  bf16ToF32,
  bf16ToF32Bits,
  f16ToF32Bits,
  f32BitsToBf16,
  f32BitsToF16,
  f32ToBf16,
  fromF32,
  toF32,
  toF64,
} from "./convert.ts";
import { byteLength, mergeRole } from "./dtype.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const bitsOf = (value: number) => {
  float[0] = value;
  return bits[0]!;
};

/** The textbook: (-1)^s × 2^(e - bias) × 1.m, or 2^(1 - bias) × 0.m where e is 0. */
function decode(pattern: number, exponentBits: number, mantissaBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = pattern >>> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (pattern >>> mantissaBits) & (2 ** exponentBits - 1);
  const fraction = (pattern & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  if (exponent === 2 ** exponentBits - 1) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - bias) * (1 + fraction) : 2 ** (1 - bias) * fraction);
}

describe.each([
  { dtype: "BF16", exponent: 8, mantissa: 7, widen: bf16ToF32Bits, narrow: f32BitsToBf16 },
  { dtype: "F16", exponent: 5, mantissa: 10, widen: f16ToF32Bits, narrow: f32BitsToF16 },
] as const)("$dtype", ({ dtype, exponent, mantissa, widen, narrow }) => {
  const infinity = (2 ** exponent - 1) << mantissa;
  const quiet = 1 << (mantissa - 1);
  const isNaN16 = (pattern: number) => (pattern & 0x7fff) > infinity;

  test("widens every one of its 65,536 values to the textbook's", () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const values = toF32(new Uint8Array(all.buffer), dtype);
    const wrong = [...all].filter((i) => !Object.is(values[i], decode(i, exponent, mantissa)));
    expect(wrong).toEqual([]);
  });

  test("keeps sign and payload of every NaN when widening, and quiets it when narrowing", () => {
    const payloadShift = 23 - mantissa;
    for (let pattern = 0; pattern < 65_536; pattern++) {
      if (!isNaN16(pattern)) continue;
      const sign = pattern >>> 15;
      const payload = pattern & (2 ** mantissa - 1);
      const wide = ((sign << 31) | 0x7f800000 | (payload << payloadShift)) >>> 0;
      if (widen(pattern) !== wide) expect(widen(pattern)).toBe(wide);
      if (narrow(wide) !== (pattern | quiet)) expect(narrow(wide)).toBe(pattern | quiet);
    }
    expect(narrow(0x7f800001)).toBe(infinity | quiet); // the payload's low bits alone
    expect(narrow(0xffffffff)).toBe(0xffff);
  });

  test("narrows every value, every midpoint and their neighbours to the nearest, ties to even", () => {
    const wrong: string[] = [];
    const check = (pattern: number, expected: number) => {
      for (const sign of [0, 1]) {
        const got = narrow((pattern | (sign << 31)) >>> 0);
        const wanted = expected | (sign << 15);
        if (got !== wanted) wrong.push(`${pattern.toString(16)}: ${got}, not ${wanted}`);
      }
    };
    for (let k = 0; k < infinity; k++) {
      const low = decode(k, exponent, mantissa);
      // Past the largest finite value the grid goes on in one more equal step, then is infinity.
      const high =
        k + 1 < infinity
          ? decode(k + 1, exponent, mantissa)
          : 2 * low - decode(k - 1, exponent, mantissa);
      const value = bitsOf(low);
      const middle = bitsOf((low + high) / 2);
      const even = k % 2 === 0 ? k : k + 1;
      check(value, k);
      check(value + 1, middle === value + 1 ? even : k);
      if (k > 0) check(value - 1, k);
      check(middle - 1, k);
      check(middle, even);
      check(middle + 1, k + 1);
    }
    expect(wrong).toEqual([]);
    expect(narrow(0x7f800000)).toBe(infinity);
    expect(narrow(0xff800000)).toBe(infinity | 0x8000);
    expect(narrow(0x7f7fffff)).toBe(infinity);
    expect(narrow(0x00000001)).toBe(0);
    expect(narrow(0x80000000)).toBe(0x8000);
  });

  test("comes back bit for bit from float32, NaNs quieted", () => {
    fc.assert(
      fc.property(fc.uint16Array({ maxLength: 300 }), (input) => {
        const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
        const back = new Uint16Array(fromF32(toF32(bytes, dtype), dtype).buffer);
        expect([...back]).toEqual([...input].map((one) => (isNaN16(one) ? one | quiet : one)));
      }),
      { seed: 3 },
    );
  });
});

test("8-bit floats have the values that their definitions state", () => {
  const of = (dtype: "F8_E4M3" | "F8_E5M2" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" | "F8_E8M0") =>
    toF32(
      Uint8Array.from({ length: 256 }, (_, i) => i),
      dtype,
    );
  const e4m3 = of("F8_E4M3");
  const e5m2 = of("F8_E5M2");
  for (let i = 0; i < 256; i++) {
    // E4M3 spends the top exponent on numbers; only the last code of each sign is NaN.
    const top = (i & 0x80 ? -1 : 1) * 256 * (1 + (i & 7) / 8);
    const expected = (i & 0x7f) === 0x7f ? Number.NaN : (i & 0x78) === 0x78 ? top : decode(i, 4, 3);
    expect(e4m3[i]).toBe(expected);
    expect(e5m2[i]).toBe(decode(i, 5, 2));
  }
  // One more in the bias halves every value; 0x80 is the only NaN.
  const fnuz = of("F8_E4M3FNUZ");
  expect(fnuz[0x80]).toBeNaN();
  expect([fnuz[0x7f], fnuz[0x01], fnuz[0x81]]).toEqual([240, 2 ** -10, -(2 ** -10)]);
  const wide = of("F8_E5M2FNUZ");
  expect(wide[0x80]).toBeNaN();
  expect([wide[0x7f], wide[0x01], wide[0xff]]).toEqual([57_344, 2 ** -17, -57_344]);
  const powers = of("F8_E8M0");
  expect([powers[0], powers[127], powers[254]]).toEqual([2 ** -127, 1, 2 ** 127]);
  expect(powers[255]).toBeNaN();
});

test("bytes at an odd address give the same values as aligned ones", () => {
  const values = new Float32Array([1.5, -2.25, 3e38, 1e-45]);
  for (const dtype of ["F32", "F16", "BF16"] as const) {
    const aligned = fromF32(values, dtype);
    const shifted = new Uint8Array(aligned.length + 1);
    shifted.set(aligned, 1);
    expect(toF32(shifted.subarray(1), dtype)).toEqual(toF32(aligned, dtype));
  }
});

test("float64 is rounded to float32 once, and stays itself in float64", () => {
  const values = new Float64Array([Math.PI, 1 + 2 ** -25, -1e300, 5e-324, Number.NaN]);
  const bytes = new Uint8Array(values.buffer);
  expect([...toF32(bytes, "F64")]).toEqual([...values].map(Math.fround));
  expect(toF64(bytes, "F64")).toEqual(values);
});

test("integers and booleans are read by value", () => {
  const i64 = new Uint8Array(new BigInt64Array([-5n, 2n ** 53n]).buffer);
  expect([...toF64(i64, "I64")]).toEqual([-5, 2 ** 53]);
  expect([...toF64(new Uint8Array([0x80, 0xff, 0x7f, 0]), "I16")]).toEqual([-128, 127]);
  expect([...toF32(new Uint8Array([0, 1]), "BOOL")]).toEqual([0, 1]);
});

test("every dtype is either read as numbers or refused by name", () => {
  for (const dtype of DTYPES) {
    const bytes = new Uint8Array(byteLength(dtype, 8));
    if (mergeRole(dtype) === "describe") {
      expect(() => toF64(bytes, dtype)).toThrow(EngineError);
      expect(() => toF32(bytes, dtype)).toThrow(dtype);
    } else {
      expect([...toF64(bytes, dtype)]).toEqual(Array(8).fill(dtype === "F8_E8M0" ? 2 ** -127 : 0));
    }
  }
});

test("one number goes to bf16 and back as a whole tensor does", () => {
  const values = new Float32Array([1.00390625, -3.3e38, 1e-40, 0.1, -0]);
  const stored = new Uint16Array(fromF32(values, "BF16").buffer);
  expect([...values].map(f32ToBf16)).toEqual([...stored]);
  expect([...stored].map(bf16ToF32)).toEqual([...toF32(new Uint8Array(stored.buffer), "BF16")]);
});
