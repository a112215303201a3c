import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  planShards,
  type TensorToWrite,
} from "../src/engine/checkpoint/formats/safetensors/shards.ts";
import { fromF32 } from "../src/engine/core/tensor/convert.ts";
import type { BenchDType } from "./kernels.ts";

/** Long enough that no tile holds it twice, and coprime to rows. */
const PATTERN = 1_000_003;

interface Shape {
  readonly hidden: number;
  readonly intermediate: number;
  readonly vocabulary: number;
}

/** Layers of a Llama as wide as models of about this size are. */
function shapeFor(byteLength: number): Shape {
  return byteLength < 5e8
    ? { hidden: 512, intermediate: 1536, vocabulary: 16_000 }
    : { hidden: 2048, intermediate: 5632, vocabulary: 32_000 };
}

function listTensors(layers: number, shape: Shape, dtype: BenchDType): readonly TensorToWrite[] {
  const { hidden, intermediate, vocabulary } = shape;
  const tensor = (name: string, ...axes: number[]) => ({
    name: `model.${name}`,
    dtype,
    shape: axes,
  });
  return [
    tensor("embed_tokens.weight", vocabulary, hidden),
    ...Array.from({ length: layers }, (_, i) => [
      ...["q", "k", "v", "o"].map((letter) =>
        tensor(`layers.${i}.self_attn.${letter}_proj.weight`, hidden, hidden),
      ),
      tensor(`layers.${i}.mlp.gate_proj.weight`, intermediate, hidden),
      tensor(`layers.${i}.mlp.up_proj.weight`, intermediate, hidden),
      tensor(`layers.${i}.mlp.down_proj.weight`, hidden, intermediate),
      tensor(`layers.${i}.input_layernorm.weight`, hidden),
      tensor(`layers.${i}.post_attention_layernorm.weight`, hidden),
    ]).flat(),
    tensor("norm.weight", hidden),
  ];
}

function makeConfig(
  layers: number,
  { hidden, intermediate, vocabulary }: Shape,
  dtype: BenchDType,
) {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: hidden / 64,
    num_key_value_heads: hidden / 64,
    vocab_size: vocabulary,
    tie_word_embeddings: true,
    torch_dtype: dtype === "F32" ? "float32" : "bfloat16",
  };
}

/** Values spread like weights; a model of its own number has its own changes. */
function makePattern(model: number, dtype: BenchDType): Uint8Array<ArrayBuffer> {
  const values = Float32Array.from(
    { length: PATTERN },
    (_, i) =>
      0.02 * Math.sin(1.7 * i + 0.3 * Math.sqrt(i)) + model * 4e-4 * Math.sin(0.9 * i * model),
  );
  return fromF32(values, dtype);
}

async function writeModel(
  folder: string,
  tensors: readonly TensorToWrite[],
  pattern: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { files } = planShards(tensors, { maxBytes: Number.MAX_SAFE_INTEGER, metadata: {} });
  const [file] = files;
  if (!file) throw new Error("a model has tensors");
  const handle = await open(join(folder, file.path), "w");
  try {
    await handle.writeFile(file.header);
    for (let left = file.byteLength - file.header.byteLength; left > 0; ) {
      const { bytesWritten } = await handle.write(pattern, 0, Math.min(left, pattern.byteLength));
      left -= bytesWritten;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Folders of a base and its fine-tunes. */
export interface Models {
  readonly base: string;
  readonly models: readonly string[];
  /** Bytes of one model's weights. */
  readonly byteLength: number;
}

/** Writes a base and two fine-tunes of about `byteLength` bytes each below `folder`. */
export async function writeModels(
  folder: string,
  byteLength: number,
  dtype: BenchDType,
): Promise<Models> {
  const shape = shapeFor(byteLength);
  const { hidden, intermediate, vocabulary } = shape;
  const elements = byteLength / (dtype === "F32" ? 4 : 2);
  const perLayer = 4 * hidden ** 2 + 3 * hidden * intermediate;
  const layers = Math.max(1, Math.round((elements - vocabulary * hidden) / perLayer));
  const tensors = listTensors(layers, shape, dtype);
  const count = tensors.reduce((sum, tensor) => sum + tensor.shape.reduce((a, b) => a * b, 1), 0);
  const folders = ["base", "tuned-a", "tuned-b"].map((name) => join(folder, name));
  for (const [i, path] of folders.entries()) {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "config.json"), JSON.stringify(makeConfig(layers, shape, dtype)));
    await writeModel(path, tensors, makePattern(i, dtype));
  }
  const [base = "", ...models] = folders;
  return { base, models, byteLength: count * (dtype === "F32" ? 4 : 2) };
}
