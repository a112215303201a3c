import { readTensor } from "../../checkpoint/checkpoint.ts";
import { EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { Tile } from "../../gpu/tiles/tiling.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";

const COPY_BYTES = 4 * 2 ** 20;

/** A copied tensor's pieces from byte `from` on; `first` and `count` are bytes here. */
export function* cutCopyTiles(byteLength: number, from: number): Generator<Tile, void, undefined> {
  for (let first = from; first < byteLength; first += COPY_BYTES) {
    yield { first, count: Math.min(COPY_BYTES, byteLength - first) };
  }
}

/**
 * Bytes of a tensor that is not computed. Where several models hold one that cannot be averaged
 * (integers, booleans) they must be equal: `not-mergeable` with the first byte that is not.
 */
export async function copyTile(
  { name, dtype, copyFrom, models }: OutputTensor,
  { first, count }: Tile,
): Promise<Uint8Array<ArrayBuffer>> {
  invariant(copyFrom, `"${name}" is copied from somewhere`);
  const bytes = await readTensor(copyFrom, first, count);
  for (const model of models) {
    if (model === copyFrom) continue;
    const other = await readTensor(model, first, count);
    const at = bytes.findIndex((byte, i) => byte !== other[i]);
    if (at >= 0) {
      throw new EngineError(
        "not-mergeable",
        `"${name}" is ${dtype}, which cannot be averaged, and differs between "${copyFrom.file}" and "${model.file}" from byte ${first + at} of the tensor on. Leave that model out, or make the tensors equal.`,
        { tensor: name, dtype, byte: first + at },
      );
    }
  }
  return bytes;
}
