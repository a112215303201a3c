import { EngineError } from "../../contract/index.ts";
import { bytesInMemory, type FileTree } from "../../core/bytes.ts";
import {
  type AdapterCheckpoint,
  adapterCard,
  isAdapter,
  readAdapter,
} from "../adapters/adapter.ts";
import type { Checkpoint, CheckpointTensor, ModelConfig } from "../checkpoint.ts";
import { parseConfig, rewriteConfig } from "../config.ts";
import { isHead, isTokenEmbedding } from "../tensorRoles/role.ts";
import { isTokenizerFile } from "../tokenizerFile.ts";
import { findChanges } from "./adapterTargets.ts";
import { changeTensor } from "./changedTensor.ts";

const applied = new WeakMap<Checkpoint, WeakMap<Checkpoint, Checkpoint>>();

/**
 * A model with an adapter applied: a view whose changed tensors are computed as they are read, each
 * rounded once to the dtype of the base's, as PEFT's merge_and_unload rounds them. Repeated calls
 * return the same object. Reads headers only. Errors: those of `readAdapter` and `findChanges`, and
 * `bad-shape` for factors that do not fit the base's tensors.
 */
export function applyAdapter(base: Checkpoint, adapter: Checkpoint): Checkpoint {
  if (!isAdapter(adapter)) {
    throw new EngineError(
      "unsupported-architecture",
      `${adapter.name} behind the "+" is a whole model: an adapter is expected there. Name it as a model of its own.`,
      { model: adapter.name },
    );
  }
  if (isAdapter(base)) {
    throw new EngineError(
      "unsupported-architecture",
      `${base.name} before the "+" is an adapter itself; name its base there, and the adapter behind it.`,
      { model: base.name },
    );
  }
  const known = applied.get(base) ?? new WeakMap<Checkpoint, Checkpoint>();
  applied.set(base, known);
  const answer = known.get(adapter) ?? apply(base, adapter);
  known.set(adapter, answer);
  return answer;
}

function apply(base: Checkpoint, opened: AdapterCheckpoint): Checkpoint {
  const adapter = readAdapter(opened);
  const tensors = new Map(base.tensors);
  for (const [name, change] of findChanges(adapter, base)) {
    tensors.set(name, changeTensor(name, change, adapter));
  }
  const config = base.config && changeConfig(base, base.config, tensors);
  const files = new Map(base.files);
  if (config && config !== base.config) {
    files.set("config.json", bytesInMemory(new TextEncoder().encode(config.text)));
  }
  if (config?.vocabSize !== base.config?.vocabSize) {
    for (const [path, source] of tokenizerFiles(opened.files)) files.set(path, source);
  }
  // The adapter's own files are read as the weights are, and change the result as they do.
  const own = opened.weightFiles.map((path) => {
    files.set(`${opened.name}/${path}`, opened.files.get(path)!);
    return `${opened.name}/${path}`;
  });
  return {
    ...base,
    name: `${base.name}+${opened.name}`,
    config,
    tensors,
    files,
    weightFiles: [...base.weightFiles, ...own],
    notes: [
      ...base.notes,
      `${opened.name} is applied as it is read: ${adapterCard(opened).about}.`,
    ],
  };
}

/** The config with the vocabulary's size and the tie as the tensors now are. */
function changeConfig(
  base: Checkpoint,
  config: ModelConfig,
  tensors: ReadonlyMap<string, CheckpointTensor>,
): ModelConfig {
  const headIsNew = [...tensors.keys()].some((name) => isHead(name) && !base.tensors.has(name));
  const embedding = [...tensors.values()].find(({ name }) => isTokenEmbedding(name));
  const before = embedding && base.tensors.get(embedding.name)?.shape[0];
  const after = embedding?.shape[0];
  const changes = {
    ...(headIsNew ? { tied: false } : {}),
    ...(after === before || after === undefined ? {} : { vocabSize: after }),
  };
  if (Object.keys(changes).length === 0) return config;
  return parseConfig(rewriteConfig(config.text, changes), "config.json");
}

/** Files of the tokenizer that an adapter with other tokens brings along. */
function tokenizerFiles(files: FileTree): FileTree {
  return new Map([...files].filter(([path]) => isTokenizerFile(path)));
}
