import { expect, test } from "vitest";
import { DTYPES } from "../../contract/index.ts";
import {
  bitsPerElement,
  byteLength,
  dtypeFromFloatName,
  dtypeFromTorch,
  isOutputDType,
  torchName,
} from "./dtype.ts";

test("sizes count whole bytes, and half bytes are our bug", () => {
  expect(byteLength("BF16", 3)).toBe(6);
  expect(byteLength("F4", 4)).toBe(2);
  expect(byteLength("F6_E2M3", 4)).toBe(3);
  expect(byteLength("F64", 0)).toBe(0);
  expect(() => byteLength("F4", 3)).toThrow("3 elements of F4");
  expect(() => byteLength("F32", 2 ** 53)).toThrow("whole bytes");
});

test("torch's name leads back to the dtype wherever torch has one", () => {
  for (const dtype of DTYPES) {
    const name = torchName(dtype);
    if (name === null) expect(bitsPerElement(dtype)).toBeLessThan(8);
    else expect([dtypeFromTorch(name), dtypeFromTorch(`torch.${name}`)]).toEqual([dtype, dtype]);
  }
  expect(dtypeFromTorch("half")).toBe("F16");
  expect(dtypeFromTorch("bf16")).toBeNull();
  expect(dtypeFromTorch("toString")).toBeNull();
});

test("what a merge writes is named as recipes name it", () => {
  for (const dtype of DTYPES.filter(isOutputDType)) {
    expect(dtypeFromFloatName(torchName(dtype))).toBe(dtype);
  }
  expect(DTYPES.filter(isOutputDType)).toEqual(["F32", "F16", "BF16"]);
});
