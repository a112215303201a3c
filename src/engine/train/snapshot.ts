import { invariant } from "../core/invariant.ts";
import type { Gpu } from "../gpu/device.ts";
import { readBytes } from "../gpu/readBytes.ts";
import type { AdamW } from "./adamw.ts";
import type { TrainableModel } from "./backward/trainable.ts";

/** Bytes of a record: a large model's state is never in memory as a whole. */
const PIECE_BYTES = 8 * 2 ** 20;

/** A buffer of the state, and the number of its bytes to store. */
interface Part {
  readonly buffer: GPUBuffer;
  readonly byteLength: number;
}

/** Buffers of a training's state: values, then moments, parameter by parameter. */
function partsOf(model: TrainableModel, optimiser: AdamW): readonly Part[] {
  return model.parameters.flatMap(({ value, count }, i) => [
    { buffer: value, byteLength: 4 * count },
    { buffer: optimiser.moments[i] as GPUBuffer, byteLength: 8 * count },
  ]);
}

function* piecesOf(parts: readonly Part[]): Generator<Part & { readonly start: number }> {
  for (const { buffer, byteLength } of parts) {
    for (let start = 0; start < byteLength; start += PIECE_BYTES) {
      yield { buffer, start, byteLength: Math.min(PIECE_BYTES, byteLength - start) };
    }
  }
}

/** Bytes of the largest piece of a state, which is read back through one buffer. */
export function readbackBytes(counts: readonly number[]): number {
  const largest = counts.reduce((most, count) => Math.max(most, count), 0);
  return Math.min(PIECE_BYTES, 8 * largest);
}

/** State of a training as bytes, piece by piece. */
export async function* takeSnapshot(
  gpu: Gpu,
  model: TrainableModel,
  optimiser: AdamW,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const { buffer, start, byteLength } of piecesOf(partsOf(model, optimiser))) {
    yield await readBytes(gpu, buffer, start, byteLength);
  }
}

/** Restores a state from the pieces of `takeSnapshot`, in their order. */
export async function restoreSnapshot(
  gpu: Gpu,
  model: TrainableModel,
  optimiser: AdamW,
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const places = piecesOf(partsOf(model, optimiser));
  for await (const bytes of pieces) {
    const next = places.next();
    const fits = !next.done && next.value.byteLength === bytes.byteLength;
    invariant(fits, "a snapshot has the pieces of the model that it was taken of");
    gpu.device.queue.writeBuffer(next.value.buffer, next.value.start, bytes);
  }
  invariant(places.next().done, "a snapshot is whole");
}
