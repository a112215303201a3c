import type { TileNeeds } from "./tiling.ts";

/** Largest number of constants per model that a rule reads: shaders/lib/task_vectors.wgsl. */
const CONSTANTS_PER_MODEL = 12;

/** Bytes of a slot's buffers for tiles of at most `tileElements` elements. */
export function slotBytes(needs: TileNeeds, tileElements: number) {
  const { segments } = needs;
  const bytesFor = (each: number) => Math.ceil(tileElements * each) + 16;
  const results = bytesFor(Math.max(needs.writeBytesPerElement, needs.sumBytesPerElement));
  return {
    // Each segment starts at a multiple of 16 bytes, and its last quad is padded.
    arena: bytesFor(needs.readBytesPerElement) + 32 * segments,
    constants: Math.max(
      4 * (CONSTANTS_PER_MODEL * segments + 16),
      bytesFor(needs.constantBytesPerElement) + 16 * segments,
    ),
    output: Math.max(results, bytesFor(needs.laneBytesPerElement)),
    readback: results + 16,
    scratch: bytesFor(needs.scratchBytesPerElement),
  };
}
