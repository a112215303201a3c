import { expect, test } from "vitest";
import type { Checkpoint, CheckpointTensor } from "../engine/checkpoint/checkpoint.ts";
import { parseConfig } from "../engine/checkpoint/config.ts";
import type { ByteSource } from "../engine/core/bytes.ts";
import { acquireGpu } from "../engine/gpu/device.ts";
import { openDecoder } from "../engine/runtime/decoder/openDecoder.ts";
import { readLogits } from "../engine/runtime/generate/score.ts";

const asked = process.env.FUSESTUDIO_LARGE === "1";
if (!asked) console.log("NOT RUN: a head of 1.2 GB (FUSESTUDIO_LARGE is not 1)");

const [VOCAB, HIDDEN, HEADS, SIZE] = [151_936, 4096, 32, 64];
/**
 * Largest error of a float32 sum, relative to the size of its products: one rounding for each of
 * the 1,024 additions in a lane's row, and a few for the norm, the products and the four lanes.
 */
const ROUNDING = (HIDDEN / 4 + 8) * 2 ** -24;
const CONFIG = {
  model_type: "llama",
  vocab_size: VOCAB,
  hidden_size: HIDDEN,
  intermediate_size: SIZE,
  num_hidden_layers: 1,
  num_attention_heads: HEADS,
  num_key_value_heads: 1,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
};

/** -1 to 1 in steps that bf16 holds exactly. */
const weightAt = (row: number, column: number) => (((row * 31 + column * 7) % 257) - 128) / 128;
const bf16 = (value: number) => new Uint32Array(new Float32Array([value]).buffer)[0]! >>> 16;
const PATTERN = Uint16Array.from({ length: 257 }, (_, i) => bf16((i - 128) / 128));

/** A tensor of bf16 whose bytes are made as they are read. */
function madeUp(name: string, shape: readonly number[], value: (i: number) => number) {
  const elementCount = shape.reduce((a, b) => a * b);
  const source: ByteSource = {
    byteLength: 2 * elementCount,
    async read(start, length) {
      const first = start / 2;
      const words = Uint16Array.from({ length: length / 2 }, (_, i) => value(first + i));
      return new Uint8Array(words.buffer);
    },
  };
  const byteLength = source.byteLength;
  const tensor: CheckpointTensor = {
    name,
    shape,
    elementCount,
    byteLength,
    source,
    start: 0,
    dtype: "BF16",
    file: "model.safetensors",
  };
  return [name, tensor] as const;
}

function largeModel(): Checkpoint {
  const [zero, one] = [() => 0, () => bf16(1)];
  const layer = "model.layers.0.";
  const headDim = HIDDEN / HEADS;
  const tensors = new Map([
    madeUp("model.embed_tokens.weight", [VOCAB, HIDDEN], (i) => {
      const [row, column] = [Math.floor(i / HIDDEN), i % HIDDEN];
      return PATTERN[(row * 31 + column * 7) % 257] as number;
    }),
    madeUp("model.norm.weight", [HIDDEN], one),
    madeUp(`${layer}input_layernorm.weight`, [HIDDEN], one),
    madeUp(`${layer}post_attention_layernorm.weight`, [HIDDEN], one),
    madeUp(`${layer}self_attn.q_proj.weight`, [HIDDEN, HIDDEN], zero),
    madeUp(`${layer}self_attn.k_proj.weight`, [headDim, HIDDEN], zero),
    madeUp(`${layer}self_attn.v_proj.weight`, [headDim, HIDDEN], zero),
    madeUp(`${layer}self_attn.o_proj.weight`, [HIDDEN, HIDDEN], zero),
    madeUp(`${layer}mlp.gate_proj.weight`, [SIZE, HIDDEN], zero),
    madeUp(`${layer}mlp.up_proj.weight`, [SIZE, HIDDEN], zero),
    madeUp(`${layer}mlp.down_proj.weight`, [HIDDEN, SIZE], zero),
  ]);
  const config = parseConfig(JSON.stringify(CONFIG), "config.json");
  return {
    name: "large",
    config,
    tensors,
    files: new Map(),
    weightFiles: [],
    quantised: [],
    notes: [],
  };
}

test.skipIf(!asked)(
  "a tied head of 151,936 × 4,096, ten times a default binding, gives the logits of its plain sums",
  async () => {
    const gpu = await acquireGpu(navigator.gpu, { defaultLimits: true });
    expect(gpu.device.limits.maxStorageBufferBindingSize).toBe(2 ** 27);
    const model = await openDecoder(gpu, largeModel());
    const id = 150_001;
    const logits = await readLogits(gpu, model, [id], "last");
    const row = Array.from({ length: HIDDEN }, (_, c) => weightAt(id, c));
    // The layer adds nothing: what reaches the head is the embedding, normed.
    const scale = 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / HIDDEN + 1e-6);
    for (let v = 0; v < VOCAB; v += 1111) {
      const products = row.map((value, c) => value * scale * weightAt(v, c));
      const want = products.reduce((sum, product) => sum + product, 0);
      const size = products.reduce((sum, product) => sum + Math.abs(product), 0);
      expect(Math.abs(logits[v]! - want), `token ${v}`).toBeLessThanOrEqual(ROUNDING * size);
    }
    model.release();
    gpu.destroy();
  },
  600_000,
);
