import type { Checkpoint, CheckpointTensor, ModelConfig } from "../checkpoint/checkpoint.ts";
import type { DType } from "../contract/index.ts";
import { bytesInMemory } from "../core/bytes.ts";
import { byteLength } from "../core/tensor/dtype.ts";

/** Dtype and shape by name. */
export type Tensors = Readonly<Record<string, readonly [DType, readonly number[]]>>;

function makeConfig(fields: Record<string, unknown>): ModelConfig {
  return {
    text: JSON.stringify(fields),
    architecture: (fields.architecture as string) ?? "LlamaModel",
    modelType: "llama",
    layers: (fields.layers as number) ?? 2,
    vocabSize: 8,
    hiddenSize: (fields.hidden as number) ?? 4,
    tied: fields.tied === true,
    fields,
  };
}

/** A checkpoint of headers alone, for tests: it holds no bytes. */
export function makeModel(
  name: string,
  tensors: Tensors,
  config: Record<string, unknown> = {},
): Checkpoint {
  const source = bytesInMemory(new Uint8Array());
  return {
    name,
    config: makeConfig(config),
    tensors: new Map(
      Object.entries(tensors).map(([tensor, [dtype, shape]]): [string, CheckpointTensor] => {
        const elementCount = shape.reduce((a, b) => a * b, 1);
        const bytes = byteLength(dtype, elementCount);
        return [
          tensor,
          {
            name: tensor,
            dtype,
            shape,
            elementCount,
            byteLength: bytes,
            file: "model.safetensors",
            source,
            start: 0,
          },
        ];
      }),
    ),
    files: new Map(),
    weightFiles: [],
    quantised: [],
    notes: [],
  };
}
