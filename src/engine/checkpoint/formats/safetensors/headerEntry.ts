import {
  DTYPES,
  type DType,
  EngineError,
  type ErrorCode,
  type ErrorDetails,
} from "../../../contract/index.ts";
import { clip, isObject } from "../../../core/json.ts";
import { bitsPerElement } from "../../../core/tensor/dtype.ts";

/** Largest number of elements whose size in bits is an exact number. */
const MAX_ELEMENTS = Math.floor(Number.MAX_SAFE_INTEGER / 64);

/** A tensor as a safetensors header describes it. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly elementCount: number;
  /** First byte of the tensor, counted from the file's first. */
  readonly start: number;
  readonly byteLength: number;
}

/**
 * Parses and checks one tensor's entry: dtype, shape, and offsets that hold exactly its elements.
 * `dataStart` is where the file's data begins.
 */
export function readEntry(
  name: string,
  value: unknown,
  dataStart: number,
  file: string,
): HeaderTensor {
  // A header can describe a million tensors, so sentences are only built for errors.
  const refuse = (code: ErrorCode, sentence: string, details: ErrorDetails = {}) =>
    new EngineError(code, `${clip(name)} in ${file} ${sentence}.`, {
      file,
      tensor: name.slice(0, 120),
      ...details,
    });
  if (!isObject(value)) throw refuse("bad-header", "is not described by an object");
  const { dtype: stated, shape, data_offsets: offsets } = value;
  const dtype = DTYPES.find((one) => one === stated);
  if (!dtype) {
    throw refuse("bad-dtype", `has the dtype ${show(stated)}, which safetensors does not define`, {
      dtype: show(stated),
    });
  }
  if (!isCounts(shape)) {
    throw refuse(
      "bad-shape",
      `has the shape ${show(shape)}; each axis must be a whole number of at most 2^53 - 1`,
      { shape: show(shape) },
    );
  }
  let elementCount = 1;
  for (const axis of shape) {
    elementCount *= axis;
    if (elementCount > MAX_ELEMENTS) {
      throw refuse(
        "bad-shape",
        `has the shape ${show(shape)}, more elements than any file can hold`,
        { shape: show(shape) },
      );
    }
  }
  const bits = bitsPerElement(dtype);
  const byteLength = (elementCount * bits) / 8;
  if (!Number.isInteger(byteLength)) {
    throw refuse(
      "bad-shape",
      `has ${elementCount} elements of ${bits} bits (${dtype}), which do not fill whole bytes`,
      { dtype, shape: show(shape), elementCount },
    );
  }
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw refuse("bad-offsets", `has no data_offsets of two whole numbers, but ${show(offsets)}`, {
      offsets: show(offsets),
    });
  }
  const [begin, end] = offsets as readonly [number, number];
  if (begin > end) {
    throw refuse("bad-offsets", `begins at ${begin} but ends at ${end}`, { begin, end });
  }
  if (end - begin !== byteLength) {
    throw refuse(
      "bad-shape",
      `is ${dtype} ${show(shape)}, ${byteLength} bytes, but its offsets ${begin} to ${end} hold ${end - begin}`,
      { dtype, shape: show(shape), byteLength, begin, end },
    );
  }
  return { name, dtype, shape, elementCount, start: dataStart + begin, byteLength };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);
}

/** Value from a header as JSON, shortened to fit a sentence. */
function show(value: unknown): string {
  const json = JSON.stringify(value) ?? "none";
  return json.length > 120 ? `${json.slice(0, 119)}…` : json;
}
