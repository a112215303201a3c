import { planShards } from "../checkpoint/formats/safetensors/shards.ts";
import type { TrainingSettings } from "../contract/index.ts";
import { type ByteSource, bytesInMemory, type FileTree } from "../core/bytes.ts";
import type { Adapter } from "./backward/trainable.ts";

/** LoRA factors on the CPU, row-major. */
export interface TrainedFactors {
  readonly adapter: Adapter;
  /** Name, in the checkpoint, of the tensor that they change. */
  readonly tensor: string;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

/**
 * Shortest name endings that match the trained modules and no others, as PEFT matches
 * `target_modules`.
 */
export function targetModules(trained: readonly string[], all: readonly string[]): string[] {
  const chosen = new Set(trained);
  const others = all.filter((module) => !chosen.has(module));
  const endings = trained.map((module) => {
    const parts = module.split(".");
    for (let count = 1; count < parts.length; count++) {
      const ending = parts.slice(-count).join(".");
      const names = (other: string) => other === ending || other.endsWith(`.${ending}`);
      if (!others.some(names)) return ending;
    }
    return module;
  });
  return [...new Set(endings)];
}

/** adapter_config.json and adapter_model.safetensors, as PEFT 0.17 and later reads them. */
export function adapterFiles(
  factors: readonly TrainedFactors[],
  settings: TrainingSettings,
  base: { readonly name: string; readonly modules: readonly string[] },
): FileTree {
  const trained = factors.map(({ adapter }) => adapter.module);
  const conv1d = factors.some(({ adapter }) => {
    return adapter.layout === "in_out" && !adapter.a.name.includes("embedding");
  });
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base.name,
    r: settings.rank,
    lora_alpha: settings.alpha,
    lora_dropout: settings.dropout,
    use_rslora: settings.rslora,
    target_modules: targetModules(trained, base.modules),
    bias: "none",
    fan_in_fan_out: conv1d,
    init_lora_weights: true,
    inference_mode: true,
    modules_to_save: null,
  };
  return new Map([
    ["adapter_config.json", inMemory(`${JSON.stringify(config, null, 2)}\n`)],
    ["adapter_model.safetensors", factorBytes(factors)],
  ]);
}

const inMemory = (text: string): ByteSource => bytesInMemory(new TextEncoder().encode(text));

function factorBytes(factors: readonly TrainedFactors[]): ByteSource {
  const tensors = factors.flatMap(({ adapter, a, b }) => [
    { ...adapter.a, values: a },
    { ...adapter.b, values: b },
  ]);
  const { files } = planShards(
    tensors.map(({ name, shape }) => ({ name, shape, dtype: "F32" })),
    { maxBytes: Number.MAX_SAFE_INTEGER, metadata: {} },
  );
  const [file] = files;
  const bytes = new Uint8Array(file!.byteLength);
  bytes.set(file!.header);
  const values = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
  for (const { name, start, byteLength } of file!.tensors) {
    bytes.set(new Uint8Array(values.get(name)!.buffer, 0, byteLength), start);
  }
  return bytesInMemory(bytes);
}
