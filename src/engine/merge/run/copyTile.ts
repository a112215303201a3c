import { readTensor } from "../../checkpoint/checkpoint.ts";
import { type DType, EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { fromF32, toF32, toF64 } from "../../core/tensor/convert.ts";
import { byteLength, isOutputDType } from "../../core/tensor/dtype.ts";
import type { Tile } from "../../gpu/tiles/tiling.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";

const COPY_BYTES = 4 * 2 ** 20;

/** Tiles of a copied tensor from byte `from` on; their `first` and `count` are in bytes. */
export function* cutCopyTiles(bytes: number, from: number): Generator<Tile, void, undefined> {
  // Whole elements, so that they can be compared; the widest has 8 bytes.
  const start = Math.floor(from / 8) * 8;
  for (let first = start; first < bytes; first += COPY_BYTES) {
    yield { first, count: Math.min(COPY_BYTES, bytes - first) };
  }
}

/** The spare rows of a merged tensor, in pieces of whole elements from element `from` on. */
export function* cutSpareTiles(output: OutputTensor, from: number): Generator<Tile> {
  if (!output.spare) return;
  const end = output.shape.reduce((product, axis) => product * axis, 1);
  const length = COPY_BYTES / 4;
  for (let first = Math.max(from, output.elementCount); first < end; first += length) {
    yield { first, count: Math.min(length, end - first) };
  }
}

/** Elements of the spare rows, rounded once to the output's dtype. */
export async function spareTile(
  { name, dtype, spare }: OutputTensor,
  { first, count }: Tile,
): Promise<Uint8Array<ArrayBuffer>> {
  invariant(spare && isOutputDType(dtype), `"${name}" has spare rows`);
  const width = byteLength(spare.dtype, 1);
  const stored = await readTensor(spare, first * width, count * width);
  return spare.dtype === dtype ? stored : fromF32(toF32(stored, spare.dtype), dtype);
}

/** Where two pieces of the same stretch hold other numbers; -1 where they are equal. */
function findDifference(
  mine: Uint8Array,
  dtype: DType,
  theirs: Uint8Array,
  otherDType: DType,
): number {
  if (dtype === otherDType) {
    const byte = mine.findIndex((value, i) => value !== theirs[i]);
    return byte < 0 ? -1 : Math.floor(byte / byteLength(dtype, 1));
  }
  const [a, b] = [toF64(mine, dtype), toF64(theirs, otherDType)];
  return a.findIndex((value, i) => value !== b[i]);
}

/**
 * Bytes of a tensor that is not computed. Where several models hold one that cannot be averaged
 * (integers, booleans) they must hold the same numbers, in whatever dtype: `not-mergeable` with the
 * first element that does not.
 */
export async function copyTile(
  { name, dtype, copyFrom, models }: OutputTensor,
  { first, count }: Tile,
): Promise<Uint8Array<ArrayBuffer>> {
  invariant(copyFrom, `"${name}" is copied from somewhere`);
  const bytes = await readTensor(copyFrom, first, count);
  for (const model of models) {
    if (model === copyFrom) continue;
    const width = byteLength(dtype, 1);
    const otherWidth = byteLength(model.dtype, 1);
    const other = await readTensor(
      model,
      (first / width) * otherWidth,
      (count / width) * otherWidth,
    );
    const at = findDifference(bytes, dtype, other, model.dtype);
    if (at >= 0) {
      const element = first / width + at;
      throw new EngineError(
        "not-mergeable",
        `"${name}" is ${dtype}, which cannot be averaged, and differs between "${copyFrom.file}" and "${model.file}" from element ${element} of the tensor on. Leave that model out, or make the tensors equal.`,
        { tensor: name, dtype, element },
      );
    }
  }
  return bytes;
}
