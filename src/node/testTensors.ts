import { readFileSync } from "node:fs";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { bytesInMemory } from "../engine/core/bytes.ts";
import { toF32 } from "../engine/core/tensor/convert.ts";

/** Float32 tensors of a safetensors file, by name. */
export async function readFloatTensors(path: string): Promise<ReadonlyMap<string, Float32Array>> {
  const files = new Map([["model.safetensors", bytesInMemory(new Uint8Array(readFileSync(path)))]]);
  const { tensors } = await openCheckpoint(files, "goldens");
  const read = new Map<string, Float32Array>();
  for (const [name, { source, start, byteLength }] of tensors) {
    read.set(name, toF32(await source.read(start, byteLength), "F32"));
  }
  return read;
}
