import type { DroppedFile, JobResult } from "../../contract/index.ts";
import type { FileTree } from "../../core/bytes.ts";
import type { AnyJobKind, JobContext, JobStep } from "../../core/jobs/kind.ts";
import { openDatabase } from "../../storage/database.ts";
import { storeValues } from "../../storage/values.ts";
import { planShards } from "../formats/safetensors/shards.ts";
import { openLibrary } from "./databaseLibrary.ts";

/** Bytes of a stored value in tests: the studio's 16 MiB would only make them slow. */
const TEST_VALUE_BYTES = 256;

let databases = 0;

/** A library of its own, the store it lies in, and a way to open it again as after a reload. */
export async function openTestLibrary() {
  const database = openDatabase(indexedDB, `library ${++databases}`);
  const use = database.store("values");
  const reopen = () => openLibrary(database, storeValues(use, TEST_VALUE_BYTES));
  return { library: await reopen(), reopen, database, use };
}

/** A checkpoint folder as a person drops it: one small model in shards, config and tokenizer. */
export function makeFolder(name: string, seed = 1, maxBytes = 700): readonly DroppedFile[] {
  const tensors = ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"].map(
    (tensor, i) => ({ name: tensor, dtype: "F32" as const, shape: i === 1 ? [8] : [20, 8] }),
  );
  const { files, index } = planShards(tensors, { maxBytes, metadata: {} });
  const dropped = files.map(({ path, header, byteLength }) => {
    const bytes = new Uint8Array(byteLength);
    for (let i = 0; i < byteLength; i++) bytes[i] = (i * 7 + seed * 13) & 63;
    bytes.set(header);
    return dropFile(`${name}/${path}`, bytes);
  });
  const config = { architectures: ["LlamaForCausalLM"], model_type: "llama", vocab_size: 20 };
  return [
    ...dropped,
    ...(index === null ? [] : [dropFile(`${name}/model.safetensors.index.json`, index)]),
    dropFile(`${name}/config.json`, JSON.stringify({ ...config, num_hidden_layers: 0 })),
    dropFile(`${name}/tokenizer.json`, "{}"),
  ];
}

/** One dropped file; Node has no `File` in every version we support, a `Blob` does all that is used. */
export function dropFile(path: string, content: string | Uint8Array<ArrayBuffer>): DroppedFile {
  return { path, file: new Blob([content]) as File };
}

/** All bytes of a dropped folder by the file's own name. */
export async function bytesOf(files: readonly DroppedFile[]): Promise<Record<string, Uint8Array>> {
  const entries = files.map(async ({ path, file }) => {
    return [path.split("/").at(-1) as string, new Uint8Array(await file.arrayBuffer())] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** All bytes of a stored model by path. */
export async function readTree(tree: FileTree): Promise<Record<string, Uint8Array>> {
  const entries = [...tree].map(
    async ([path, source]) => [path, await source.read(0, source.byteLength)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Runs a job kind once, without a runner; `steps` and `states` are what it told. */
export function runOnce(
  kind: AnyJobKind,
  request: unknown,
  parts: { readonly state?: unknown; readonly signal?: AbortSignal; onStep?(step: JobStep): void },
) {
  const steps: JobStep[] = [];
  const states: unknown[] = [];
  const context: JobContext<unknown> = {
    id: "job-1",
    state: parts.state ?? null,
    signal: parts.signal ?? new AbortController().signal,
    save: async (state) => void states.push(structuredClone(state)),
    progress(step) {
      steps.push(step);
      parts.onStep?.(step);
    },
    modelsChanged: () => undefined,
  };
  const result: Promise<JobResult> = kind.run(request as never, context as JobContext<never>);
  return { result, steps, states };
}
