import { DTYPES, type DType, EngineError } from "../contract/index.ts";
import { bitsPerElement } from "../tensor/dtype.ts";
import { clip, isObject } from "./json.ts";

/** Bits of the widest element: with fewer elements than this, no size in bits loses a digit. */
const MAX_ELEMENTS = Math.floor(Number.MAX_SAFE_INTEGER / 64);

/** A tensor as a safetensors header describes it. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly elementCount: number;
  /** First byte, counted from the file's first. */
  readonly start: number;
  readonly byteLength: number;
}

/**
 * Reads and checks one tensor's entry by itself: dtype, shape, and offsets that hold exactly its
 * elements. `dataStart` is where the file's data begins.
 */
export function readEntry(
  name: string,
  value: unknown,
  dataStart: number,
  file: string,
): HeaderTensor {
  const where = `${clip(name)} in ${file}`;
  const known = { file, tensor: name.slice(0, 120) };
  if (!isObject(value)) {
    throw new EngineError("bad-header", `${where} is not described by an object.`, known);
  }
  const dtype = DTYPES.find((one) => one === value.dtype);
  if (!dtype) {
    const stated = clip(JSON.stringify(value.dtype) ?? "none");
    throw new EngineError(
      "bad-dtype",
      `${where} has the dtype ${stated}, which safetensors does not define.`,
      { ...known, dtype: stated },
    );
  }
  const elementCount = countElements(value.shape, where, known);
  const shape = value.shape as readonly number[];
  const byteLength = (elementCount * bitsPerElement(dtype)) / 8;
  const size = { ...known, dtype, shape: shape.join("×").slice(0, 120), elementCount };
  if (!Number.isInteger(byteLength)) {
    throw new EngineError(
      "bad-shape",
      `${where} has ${elementCount} elements of ${bitsPerElement(dtype)} bits (${dtype}), which do not fill whole bytes.`,
      size,
    );
  }
  const offsets = value.data_offsets;
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw new EngineError(
      "bad-offsets",
      `${where} has no data_offsets of two whole numbers, but ${clip(JSON.stringify(offsets) ?? "none")}.`,
      known,
    );
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) {
    throw new EngineError("bad-offsets", `${where} begins at ${begin} but ends at ${end}.`, {
      ...known,
      begin,
      end,
    });
  }
  if (end - begin !== byteLength) {
    throw new EngineError(
      "bad-shape",
      `${where} is ${dtype} [${shape.join(", ")}], ${byteLength} bytes, but its offsets ${begin} to ${end} hold ${end - begin}.`,
      { ...size, begin, end, byteLength },
    );
  }
  return { name, dtype, shape, elementCount, start: dataStart + begin, byteLength };
}

function countElements(shape: unknown, where: string, known: Record<string, string>): number {
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    const stated = clip(JSON.stringify(shape) ?? "none");
    throw new EngineError(
      "bad-shape",
      `${where} has the shape ${stated}; each axis must be a whole number of at most 2^53 - 1.`,
      { ...known, shape: stated },
    );
  }
  let count = 1;
  for (const axis of shape as readonly number[]) {
    count *= axis;
    if (count > MAX_ELEMENTS) {
      throw new EngineError(
        "bad-shape",
        `${where} has the shape ${clip(JSON.stringify(shape))}, more elements than any file can hold.`,
        { ...known, shape: shape.join("×").slice(0, 120) },
      );
    }
  }
  return count;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
