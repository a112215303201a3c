import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One tensor of a safetensors file, its bytes a view into the file. */
export interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Reads a safetensors file with nothing of the studio's own. */
export function readTensors(file: Uint8Array): ReadonlyMap<string, Tensor> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
  const { __metadata__: _, ...entries } = header;
  return new Map(
    Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(entries).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => [name, { dtype, shape, bytes: file.subarray(start + from, start + to) }],
    ),
  );
}

/** The values of a BF16 tensor: the upper halves of as many float32. */
export function valuesOf({ bytes }: Tensor): Float32Array {
  const words = new Uint32Array(bytes.byteLength / 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint16(2 * i, true) << 16;
  return new Float32Array(words.buffer);
}

/** A safetensors file up to its data: the header's length and the header. */
function frame(header: object): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  return Buffer.concat([length, text]);
}

/** VaRM's shares of one matrix: each model's mean squared change, divided by the sum of all. */
export function varmShares(base: Tensor, targets: readonly Tensor[]): readonly number[] {
  const origin = valuesOf(base);
  const changes = targets.map((target) => {
    let sum = 0;
    for (const [i, value] of valuesOf(target).entries()) sum += (value - (origin[i] ?? 0)) ** 2;
    return sum / origin.length;
  });
  const total = changes.reduce((sum, change) => sum + change, 0);
  return changes.map((change) => change / total);
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * BF16 values of magnitudes between 1/256 and 1/32 that look random and are the same in every run;
 * with `near` the same but for the last two bits, as after a fine-tuning.
 */
function fill(count: number, seed: number, near: Uint16Array | null): Uint16Array {
  const words = new Uint16Array(count);
  let bits = seed;
  for (let i = 0; i < count; i++) {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    const exponent = 119 + (((bits >>> 8) & 0xff) % 3);
    words[i] = near
      ? (near[i] ?? 0) ^ (bits & 3 & (bits >>> 8))
      : ((bits & 1) << 15) | (exponent << 7) | ((bits >>> 16) & 0x7f);
  }
  return words;
}

interface Size {
  readonly layers: number;
  readonly hidden: number;
}

/** A Llama's tensors, all linear maps of a layer as squares: the names and their shapes. */
function shapesOf({ layers, hidden }: Size): readonly (readonly [string, readonly number[]])[] {
  const square = [hidden, hidden];
  const names = ["self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o"];
  const mlp = ["mlp.gate", "mlp.up", "mlp.down"];
  return [
    ["model.embed_tokens.weight", [256, hidden]],
    ...Array.from({ length: layers }, (_, layer) => [
      ...[...names, ...mlp].map(
        (name) => [`model.layers.${layer}.${name}_proj.weight`, square] as const,
      ),
      [`model.layers.${layer}.input_layernorm.weight`, [hidden]] as const,
      [`model.layers.${layer}.post_attention_layernorm.weight`, [hidden]] as const,
    ]).flat(),
    ["model.norm.weight", [hidden]],
    ["lm_head.weight", [256, hidden]],
  ];
}

/**
 * Writes a base and its fine-tunes, each a folder of random numbers in the shape of a Llama, so large
 * that importing and merging them takes long enough to be interrupted. The same size gives the same
 * bytes. Answers with the folders, the base first.
 */
export function writeFamily(folder: string, names: readonly string[], size: Size): string[] {
  const shapes = shapesOf(size);
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: size.hidden,
    intermediate_size: size.hidden,
    num_hidden_layers: size.layers,
    num_attention_heads: 8,
    num_key_value_heads: 8,
    vocab_size: 256,
    tie_word_embeddings: false,
    torch_dtype: "bfloat16",
  };
  let offset = 0;
  const header = Object.fromEntries(
    shapes.map(([name, shape]) => {
      const from = offset;
      offset += 2 * shape.reduce((product, side) => product * side, 1);
      return [name, { dtype: "BF16", shape, data_offsets: [from, offset] }];
    }),
  );
  const head = frame(header);
  let base: Uint16Array | null = null;
  return names.map((name, index) => {
    const words: Uint16Array = fill(offset / 2, 0x5eed + index, base);
    base ??= words;
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "config.json"), JSON.stringify(config, null, 2));
    const data = Buffer.from(words.buffer);
    writeFileSync(join(path, "model.safetensors"), Buffer.concat([head, data]));
    return path;
  });
}

/** Writes tensors as one safetensors file. */
export function writeTensors(tensors: ReadonlyMap<string, Tensor>): Buffer {
  let offset = 0;
  const header = Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, bytes }]) => {
      const from = offset;
      offset += bytes.byteLength;
      return [name, { dtype, shape, data_offsets: [from, offset] }];
    }),
  );
  return Buffer.concat([frame(header), ...[...tensors.values()].map(({ bytes }) => bytes)]);
}
