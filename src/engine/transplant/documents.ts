import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { sortCompanions } from "../checkpoint/companions.ts";
import {
  type ConfigField,
  configFields,
  type ModelConfig,
  parseConfig,
  rewriteConfig,
} from "../checkpoint/config.ts";
import { isTokenizerFile } from "../checkpoint/tokenizerFile.ts";
import type { Transplant } from "../contract/index.ts";
import { type ByteSource, bytesInMemory, type FileTree } from "../core/bytes.ts";
import { STUDIO } from "../merge/run/version.ts";
import { MAX_SIDE_FILE_BYTES, readTextFile } from "../text/tokenizers/tokenizerFiles.ts";
import type { TransplantPlan } from "./plan.ts";

const GENERATION = "generation_config.json";
/** Ids that follow the tokenizer, as in mergekit 0.1.5. */
const ID_KEYS = ["pad", "eos", "bos", "unk", "mask"].map((role) => `${role}_token_id`);

const inMemory = (text: string): ByteSource => bytesInMemory(new TextEncoder().encode(text));

/** The donor's ids in a config: in place of the model's, null where the donor has none. */
function donorIds(own: readonly ConfigField[], donor: readonly ConfigField[]) {
  return ID_KEYS.flatMap((key): readonly ConfigField[] => {
    const stated = own.filter((field) => field.key === key);
    const given = donor.find((field) => field.key === key);
    if (stated.length === 0) return given ? [{ ...given, path: "" }] : [];
    return stated.map((field) => ({ ...field, json: given?.json ?? "null" }));
  });
}

async function readConfig(files: FileTree, path: string): Promise<ModelConfig | null> {
  const text = await readTextFile(files, path, MAX_SIDE_FILE_BYTES);
  return text === null ? null : parseConfig(text, path);
}

/**
 * Every file of the result beside its weights: the model's config with the donor's number of rows and
 * ids, the donor's tokenizer, the model's other companions, transplant.json and a card.
 */
export async function makeDocuments(
  { model, donor, matrices, record }: TransplantPlan,
  name: string,
): Promise<FileTree> {
  const files = new Map<string, ByteSource>();
  const ofDonor = donor.config ? configFields(donor.config) : [];
  if (model.config) {
    const fields = donorIds(configFields(model.config), ofDonor);
    const vocabSize = matrices[0]!.match.count;
    files.set("config.json", inMemory(rewriteConfig(model.config.text, { fields, vocabSize })));
  }
  for (const [path, source] of sortCompanions(model).copied) {
    if (!isTokenizerFile(path)) files.set(path, source);
  }
  for (const [path, source] of donor.files) {
    if (isTokenizerFile(path)) files.set(path, source);
  }
  const generation = await readConfig(model.files, GENERATION);
  if (generation) {
    const theirs = await readConfig(donor.files, GENERATION);
    const fields = donorIds(configFields(generation), theirs ? configFields(theirs) : ofDonor);
    files.set(GENERATION, inMemory(rewriteConfig(generation.text, { fields }, GENERATION)));
  }
  files.set("transplant.json", inMemory(formatRecord(record, name)));
  files.set("README.md", inMemory(formatCard(record, name, model)));
  return files;
}

function formatRecord(record: Transplant, name: string): string {
  const document = { format: 1, tool: STUDIO.name, version: STUDIO.version, name, ...record };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Sentence on how the rows of new tokens were made. */
export function sayMethod({ settings, made }: Transplant): string {
  const { method, k, cosine, subword } = settings;
  const rows = made === 1 ? "1 row is" : `${made} rows are`;
  switch (method) {
    case "omp":
      return `${rows} combinations of up to ${k} shared tokens (orthogonal matching pursuit)`;
    case "common_interpolation":
      return `${rows} means of the ${k} nearest shared tokens by ${cosine ? "angle" : "distance"}`;
    case "subword":
      return `${rows} made of the rows of their subwords (${subword})`;
    case "mean":
      return `${rows} the mean of all the model's rows`;
    case "zero":
      return `${rows} zeros`;
  }
}

function formatCard(record: Transplant, name: string, { config }: Checkpoint): string {
  const { model, donor, shared } = record;
  const architecture = config?.architecture ?? "a model";
  return `# ${name}

${JSON.stringify(model)} (${architecture}) with the tokenizer of ${JSON.stringify(donor)}: ${shared} tokens keep the model's rows, ${sayMethod(record)}. All other weights are the model's, byte for byte. Made with ${STUDIO.name} ${STUDIO.version}.
`;
}
