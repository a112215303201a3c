import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTensors, type Tensor, writeTensors } from "./checkpoints.ts";
import { SAMPLES } from "./studio.ts";

export type Tensors = Map<string, Tensor>;

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const writeJson = (path: string, value: object) => writeFileSync(path, JSON.stringify(value));

/** A sample under another name, with its tensors and its config.json changed. */
export function writeVariant(
  folder: string,
  [name, sample]: readonly [string, string],
  config: object,
  change: (tensors: Tensors) => void,
): string {
  const path = join(folder, name);
  cpSync(join(SAMPLES, sample), path, { recursive: true });
  const settings: object = readJson(join(path, "config.json"));
  writeJson(join(path, "config.json"), { ...settings, ...config });
  const weights = join(path, "model.safetensors");
  const tensors = new Map(readTensors(readFileSync(weights)));
  change(tensors);
  writeFileSync(weights, writeTensors(tensors));
  return path;
}

const EMBEDDING = "model.embed_tokens.weight";

/** A sample with special tokens more at the end of its vocabulary, their rows a repeat of the first. */
export function writeWithTokens(
  folder: string,
  [name, sample]: readonly [string, string],
  tokens: readonly string[],
): string {
  const { vocab_size: size } = readJson(join(SAMPLES, sample, "config.json"));
  const path = writeVariant(
    folder,
    [name, sample],
    { vocab_size: size + tokens.length },
    (tensors) => {
      const { dtype, shape, bytes } = tensors.get(EMBEDDING)!;
      const row = bytes.subarray(0, bytes.byteLength / size);
      const grown = Buffer.concat([bytes, ...tokens.map(() => row)]);
      tensors.set(EMBEDDING, { dtype, shape: [size + tokens.length, shape[1]!], bytes: grown });
    },
  );
  const file = join(path, "tokenizer.json");
  const tokenizer = readJson(file);
  const added = tokens.map((content, i) => ({
    ...tokenizer.added_tokens[0],
    id: size + i,
    content,
  }));
  writeJson(file, { ...tokenizer, added_tokens: [...tokenizer.added_tokens, ...added] });
  return path;
}

interface AdapterMade {
  readonly path: string;
  /** Values of each module's A [rank, in] and B [out, rank]. */
  readonly factors: ReadonlyMap<string, readonly [a: Float32Array, b: Float32Array]>;
}

/** Values between −0.05 and 0.05 that look random and are the same in every run. */
function values(count: number, seed: number): Float32Array {
  let bits = seed;
  return Float32Array.from({ length: count }, () => {
    bits = (Math.imul(bits, 1_103_515_245) + 12_345) >>> 0;
    return (bits / 2 ** 32 - 0.5) / 10;
  });
}

/** A PEFT folder: a LoRA on matrices [out, in] of a model, by their modules' names. */
export function writeAdapter(
  folder: string,
  name: string,
  base: string,
  { rank, alpha }: { readonly rank: number; readonly alpha: number },
  modules: readonly (readonly [module: string, out: number, into: number])[],
): AdapterMade {
  const path = join(folder, name);
  mkdirSync(path);
  const tensors: Tensors = new Map();
  const factors = new Map<string, readonly [Float32Array, Float32Array]>();
  for (const [i, [module, out, into]] of modules.entries()) {
    const [a, b] = [values(rank * into, 2 * i + 1), values(out * rank, 2 * i + 2)] as const;
    factors.set(module, [a, b]);
    const put = (which: string, shape: readonly number[], data: Float32Array) =>
      tensors.set(`base_model.model.${module}.lora_${which}.weight`, {
        dtype: "F32",
        shape,
        bytes: new Uint8Array(data.buffer),
      });
    put("A", [rank, into], a);
    put("B", [out, rank], b);
  }
  writeFileSync(join(path, "adapter_model.safetensors"), writeTensors(tensors));
  writeJson(join(path, "adapter_config.json"), {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base,
    r: rank,
    lora_alpha: alpha,
    target_modules: [...new Set(modules.map(([module]) => module.split(".").at(-1)))],
    bias: "none",
    fan_in_fan_out: false,
  });
  return { path, factors };
}
