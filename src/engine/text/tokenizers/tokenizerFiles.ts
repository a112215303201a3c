import { EngineError } from "../../contract/index.ts";
import { type FileTree, readAll } from "../../core/bytes.ts";
import { isObject, parsePythonJson } from "../../core/json.ts";
import { refuseTokenizer } from "../patterns/pattern.ts";
import type { AddedToken } from "./addedTokens.ts";
import { isTokenId } from "./bpe.ts";
import { tokenizerFromVocabAndMerges } from "./vocabAndMerges.ts";

/** Largest tokenizer.json; the largest real one, of 262,144 tokens, has 33 MB. */
const MAX_TOKENIZER_BYTES = 128 << 20;
/** Largest of the tokenizer's other JSON files. */
export const MAX_SIDE_FILE_BYTES = 16 << 20;
const MAX_ADDED_TOKENS = 1 << 16;
/** Longest added token; the longest real ones are some dozens of blanks. */
const MAX_ADDED_LENGTH = 1024;
const MAX_STOP_IDS = 64;

type Fields = Readonly<Record<string, unknown>>;

/** Tokenizer data of a checkpoint's files. */
export interface TokenizerFiles {
  readonly tokenizer: Fields;
  readonly config: Fields;
  readonly added: readonly AddedToken[];
  /** Special tokens by role; the first file that names one counts. */
  readonly bos: string | null;
  readonly eos: string | null;
  readonly pad: string | null;
  readonly unk: string | null;
  /** Ids that begin and end a text, from generation_config.json or config.json. */
  readonly startIds: readonly number[];
  readonly stopIds: readonly number[];
  /**
   * Whether the files name a token of this role, or null for it: GPT-2's leave that to the code.
   */
  names(role: "bos_token" | "eos_token"): boolean;
  /** Special token of any role, `sep_token`; null where no file names one. */
  tokenOf(role: string): string | null;
}

/**
 * Tokenizer files of a checkpoint: tokenizer.json, else vocab.json with merges.txt; null where
 * there is neither.
 */
export async function readTokenizerFiles(files: FileTree): Promise<TokenizerFiles | null> {
  const read = async (path: string) => (await readJson(files, path, MAX_SIDE_FILE_BYTES)) ?? {};
  const special = await read("special_tokens_map.json");
  const found = await readTokenizer(files, await read("tokenizer_config.json"), special);
  if (!found) return null;
  const { tokenizer, config } = found;
  const byId = await read("added_tokens.json");
  const named = (key: string) => nameOf(config[key]) ?? nameOf(special[key]);
  return {
    tokenizer,
    config,
    added: collectAdded(tokenizer, config, byId),
    bos: named("bos_token"),
    eos: named("eos_token"),
    pad: named("pad_token"),
    unk: named("unk_token"),
    startIds: await readModelIds(files, "bos_token_id"),
    stopIds: await readModelIds(files, "eos_token_id"),
    names: (role) => config[role] !== undefined || special[role] !== undefined,
    tokenOf: named,
  };
}

async function readTokenizer(files: FileTree, config: Fields, special: Fields) {
  const tokenizer = await readJson(files, "tokenizer.json", MAX_TOKENIZER_BYTES);
  if (tokenizer) return { tokenizer, config };
  const merges = await readTextFile(files, "merges.txt", MAX_TOKENIZER_BYTES);
  const vocab = merges === null ? null : await readJson(files, "vocab.json", MAX_TOKENIZER_BYTES);
  return merges !== null && vocab
    ? tokenizerFromVocabAndMerges({ vocab, merges, config, special })
    : null;
}

/** Ids under this key in generation_config.json, else in config.json; empty where in neither. */
async function readModelIds(
  files: FileTree,
  key: "bos_token_id" | "eos_token_id",
): Promise<readonly number[]> {
  for (const path of ["generation_config.json", "config.json"]) {
    const ids = idsOf((await readJson(files, path, MAX_SIDE_FILE_BYTES))?.[key]);
    if (ids) return ids;
  }
  return [];
}

/** Ids that end a generated text, from the model's files without a tokenizer. */
export const readStopIds = (files: FileTree) => readModelIds(files, "eos_token_id");

/** Text of a checkpoint's file, or null where it is missing; `bad-config` above `limit` bytes. */
export async function readTextFile(
  files: FileTree,
  path: string,
  limit: number,
): Promise<string | null> {
  const source = files.get(path);
  if (!source) return null;
  if (source.byteLength > limit) {
    throw new EngineError(
      "bad-config",
      `${path} has ${source.byteLength} bytes; at most ${limit} are read.`,
      { file: path, byteLength: source.byteLength, limit },
    );
  }
  return new TextDecoder().decode(await readAll(source, limit));
}

/** JSON object of a checkpoint's file, or null where it is missing. */
export async function readJson(
  files: FileTree,
  path: string,
  limit: number,
): Promise<Fields | null> {
  const text = await readTextFile(files, path, limit);
  if (text === null) return null;
  const fields = parseJson(text, path);
  if (isObject(fields)) return fields;
  throw new EngineError("bad-config", `${path} must be a JSON object.`, { file: path });
}

/** JSON.parse is faster; what it refuses may be JSON as Python writes it. */
function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const read = parsePythonJson(text, { maxDepth: 64, duplicateKeys: "allow" });
    if ("value" in read) return read.value;
    const { line, column, reason } = read.problem;
    const message = `${path} is no JSON: line ${line}, column ${column}: ${reason}.`;
    throw new EngineError("bad-config", message, { file: path, line, column }, error);
  }
}

/** Text of a token entry: itself, or the `content` of an object. */
export function nameOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  return isObject(value) && typeof value.content === "string" ? value.content : null;
}

function idsOf(value: unknown): readonly number[] | null {
  const ids = (Array.isArray(value) ? value.slice(0, MAX_STOP_IDS) : [value]).filter(isTokenId);
  return ids.length > 0 ? ids : null;
}

/** Added tokens: tokenizer.json's, completed from the other files, as in transformers. */
function collectAdded(tokenizer: Fields, config: Fields, byId: Fields): readonly AddedToken[] {
  const found = new Map<string, AddedToken>();
  const add = (entry: unknown, id: unknown) => {
    const content = nameOf(entry);
    if (content === null || content === "" || !isTokenId(id)) {
      return refuseTokenizer("an added token has no text or no usable id");
    }
    if (found.has(content)) return;
    if (content.length > MAX_ADDED_LENGTH) {
      refuseTokenizer(
        `an added token has ${content.length} characters; ${MAX_ADDED_LENGTH} are allowed`,
      );
    }
    if (found.size >= MAX_ADDED_TOKENS)
      refuseTokenizer(`more than ${MAX_ADDED_TOKENS} added tokens`);
    const flags: Fields = isObject(entry) ? entry : {};
    const special = flags.special === true;
    found.set(content, {
      id,
      content,
      special,
      singleWord: flags.single_word === true,
      lstrip: flags.lstrip === true,
      rstrip: flags.rstrip === true,
      normalized: typeof flags.normalized === "boolean" ? flags.normalized : !special,
    });
  };
  const listed = tokenizer.added_tokens;
  for (const entry of Array.isArray(listed) ? listed : [])
    add(entry, isObject(entry) ? entry.id : null);
  const decoder = isObject(config.added_tokens_decoder) ? config.added_tokens_decoder : {};
  for (const [id, entry] of Object.entries(decoder)) add(entry, Number(id));
  for (const [content, id] of Object.entries(byId)) add(content, id);
  return [...found.values()];
}
