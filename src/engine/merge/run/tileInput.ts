import { type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import type { OutputDType } from "../../contract/index.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { byteLength, isOutputDType } from "../../core/tensor/dtype.ts";
import type { TileInput } from "../../gpu/tiles/tileSlot.ts";
import type { Tile } from "../../gpu/tiles/tiling.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";

/** The dtype that a tensor has on the GPU: its own, or f32 where the CPU converts it first. */
function gpuDType(tensor: CheckpointTensor): OutputDType {
  return isOutputDType(tensor.dtype) ? tensor.dtype : "F32";
}

/** The base, where there is one, then the models: the order of a tile's segments. */
export function sourcesOf(output: OutputTensor): readonly CheckpointTensor[] {
  return output.base ? [output.base, ...output.models] : output.models;
}

/** Bytes that a tile of this tensor takes on the GPU for each element, over all its sources. */
export function readBytesPerElement(output: OutputTensor): number {
  return sourcesOf(output).reduce((sum, tensor) => sum + byteLength(gpuDType(tensor), 1), 0);
}

/** Reads a tile of every source; F64 and F8 become f32 on the way. */
export async function readTile(output: OutputTensor, { first, count }: Tile): Promise<TileInput> {
  const segments = await Promise.all(
    sourcesOf(output).map(async (tensor) => {
      const dtype = gpuDType(tensor);
      const start = byteLength(tensor.dtype, first);
      const stored = await readTensor(
        tensor,
        start,
        byteLength(tensor.dtype, first + count) - start,
      );
      const bytes = dtype === tensor.dtype ? stored : fromF32(toF32(stored, tensor.dtype), "F32");
      return { dtype, bytes };
    }),
  );
  return { first, elementCount: count, hasBase: output.base !== null, segments };
}
