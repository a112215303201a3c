import type { Checkpoint, CheckpointTensor } from "../checkpoint/checkpoint.ts";
import type { DType, OutputDType } from "../contract/index.ts";
import { bytesInMemory } from "../core/bytes.ts";
import { fromF32 } from "../core/tensor/convert.ts";

/** Values spread like weights: around 0, or around 1 for norms. */
export function randomValues(
  count: number,
  random: () => number,
  scale = 0.05,
): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, () => (random() + random() + random() - 1.5) * scale);
}

/** A tensor for `checkpointOf`. */
export interface TestTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
  readonly dtype?: OutputDType;
}

/** An open checkpoint in memory, for tests. */
export function checkpointOf(
  name: string,
  tensors: Readonly<Record<string, TestTensor>>,
): Checkpoint {
  const files = new Map();
  const cards = Object.entries(tensors).map(([tensor, { shape, values, dtype = "F32" }]) => {
    const bytes = fromF32(values, dtype);
    const file = "model.safetensors";
    const card: CheckpointTensor = {
      name: tensor,
      dtype: dtype satisfies DType,
      shape,
      byteLength: bytes.byteLength,
      elementCount: values.length,
      file,
      source: bytesInMemory(bytes),
      start: 0,
    };
    return [tensor, card] as const;
  });
  return {
    name,
    config: null,
    tensors: new Map(cards),
    files,
    weightFiles: [],
    quantised: [],
    notes: [],
  };
}
