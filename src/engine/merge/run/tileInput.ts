import { type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { byteLength, isOutputDType } from "../../core/tensor/dtype.ts";
import { formatBytes, PLAIN_FORMATS, type WeightFormat } from "../../core/tensor/weightFormat.ts";
import type { TileInput } from "../../gpu/tiles/tileInput.ts";
import type { Layout, Tile } from "../../gpu/tiles/tiling.ts";
import type { OutputTensor } from "../plan/outputTensor.ts";

/** Format of a tensor in a tile: as stored, or f32 where the CPU converts it first. */
function formatOnGpu({ dtype }: CheckpointTensor): WeightFormat {
  return PLAIN_FORMATS[isOutputDType(dtype) ? dtype : "F32"];
}

/**
 * Sources of a tensor in the order of a tile's segments: the base, where there is one, then the
 * models.
 */
export function sourcesOf(output: OutputTensor): readonly CheckpointTensor[] {
  return output.base ? [output.base, ...output.models] : output.models;
}

/** Bytes per element of a tile on the GPU, over all sources of the tensor. */
export function readBytesPerElement(output: OutputTensor): number {
  return sourcesOf(output).reduce((sum, tensor) => sum + formatBytes(formatOnGpu(tensor), 1), 0);
}

/** Bytes that are read of all sources for each element. */
export function storedBytesPerElement(output: OutputTensor): number {
  return sourcesOf(output).reduce((sum, { dtype }) => sum + byteLength(dtype, 1), 0);
}

/** Reads a tile of every source; F64 and F8 are converted to f32. `derived`: for so many derived segments. */
export async function readTile(
  output: OutputTensor,
  { first, count }: Tile,
  layout: Layout,
  derived = 0,
): Promise<TileInput> {
  const segments = await Promise.all(
    sourcesOf(output).map(async (tensor) => {
      const format = formatOnGpu(tensor);
      const start = byteLength(tensor.dtype, first);
      const stored = await readTensor(
        tensor,
        start,
        byteLength(tensor.dtype, first + count) - start,
      );
      const bytes =
        format.name === tensor.dtype ? stored : fromF32(toF32(stored, tensor.dtype), "F32");
      return { format, bytes };
    }),
  );
  const { arithmetic } = output.resolved;
  return { first, elementCount: count, layout, arithmetic, segments, derived };
}
