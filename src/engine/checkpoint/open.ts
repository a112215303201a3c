import type { FileTree } from "../core/bytes.ts";
import { adapterCard } from "./adapters/adapter.ts";
import type { AdapterConfig } from "./adapters/adapterConfig.ts";
import type { Checkpoint, ModelConfig } from "./checkpoint.ts";
import type { OpenedWeights } from "./checkpointFormat.ts";
import { sideFileNotes, tensorNotes } from "./checkpointNotes.ts";
import { parseConfig } from "./config.ts";
import { openWeights } from "./openWeights.ts";
import { quantisationNotes } from "./quantised/describeQuantised.ts";
import { dequantise } from "./quantised/findQuantised.ts";
import { readText } from "./smallFile.ts";
import { findEmbedding } from "./tensorRoles/head.ts";

const MAX_CONFIG_BYTES = 2 ** 20;

/**
 * Opens a checkpoint: config.json and every header are read and checked, no weight is. `files` are
 * those of one folder, or a single weight file; `name` is its name in messages. Errors: those of
 * `openWeights`, and `bad-config`.
 */
export async function openCheckpoint(files: FileTree, name: string): Promise<Checkpoint> {
  const weights = await openWeights(files, name);
  if (weights.adapter) return openAdapter(weights, weights.adapter, files, name);
  const config = await readConfig(files);
  const { tensors, quantised } = dequantise(weights.tensors, config);
  const notes = [
    ...(await sideFileNotes(files, findEmbedding({ tensors }) !== null)),
    ...tensorNotes(tensors, config),
    ...quantisationNotes(quantised),
    ...weights.notes,
  ];
  return { name, config, tensors, files, weightFiles: weights.files, quantised, notes };
}

/** An adapter, its parts checked against each other. */
function openAdapter(
  { tensors, files: weightFiles, notes }: OpenedWeights,
  adapter: AdapterConfig,
  files: FileTree,
  name: string,
): Checkpoint {
  const opened = { name, config: null, tensors, files, weightFiles, quantised: [], notes, adapter };
  const { base, about } = adapterCard(opened);
  const trained = base === null ? "" : `, trained on ${base}`;
  return { ...opened, notes: [`An adapter, no whole model: ${about}${trained}.`, ...notes] };
}

async function readConfig(files: FileTree): Promise<ModelConfig | null> {
  const source = files.get("config.json");
  if (!source) return null;
  return parseConfig(await readText(source, "config.json", MAX_CONFIG_BYTES), "config.json");
}
