import type { ModelConfig } from "../../checkpoint/checkpoint.ts";
import { parseConfig } from "../../checkpoint/config.ts";
import { readText } from "../../checkpoint/smallFile.ts";
import { EngineError } from "../../contract/index.ts";
import type { FileTree } from "../../core/bytes.ts";
import { isObject } from "../../core/json.ts";

const FILE = "config.json";
const MAX_CONFIG_BYTES = 2 ** 20;
const MAX_CONTEXT = 2 ** 24;
/** Names of the context length in configs, transformers' usual one first. */
const KEYS = ["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"];

function missingConfig(name: string): EngineError {
  return new EngineError(
    "missing-file",
    `${name} has no ${FILE}, which tells how many tokens it was trained to see. Copy it from the model that was exported.`,
    { model: name, file: FILE },
  );
}

/** An export's config.json; `missing-file` without one. */
export async function readConfig(files: FileTree, name: string): Promise<ModelConfig> {
  const source = files.get(FILE);
  if (!source) throw missingConfig(name);
  return parseConfig(await readText(source, FILE, MAX_CONFIG_BYTES), FILE);
}

/** Tokens that the exported model was trained for; `bad-config` where config.json does not say. */
export function contextLengthOf(config: ModelConfig | null, name: string): number {
  if (!config) throw missingConfig(name);
  const { fields } = config;
  const inner = isObject(fields.text_config) ? fields.text_config : {};
  const length = KEYS.map((key) => fields[key] ?? inner[key]).find((value) => value !== undefined);
  if (
    typeof length === "number" &&
    Number.isInteger(length) &&
    length >= 1 &&
    length <= MAX_CONTEXT
  )
    return length;
  const shown = (JSON.stringify(length) ?? "absent").slice(0, 80);
  throw new EngineError(
    "bad-config",
    `${KEYS[0]} in ${FILE} of ${name} must be a whole number from 1 to ${MAX_CONTEXT}; it is ${shown}.`,
    { file: FILE, key: KEYS[0]! },
  );
}
