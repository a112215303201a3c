import { isTokenizerFile } from "../../checkpoint/tokenizerFile.ts";
import { type ByteSource, bytesInMemory, type FileTree } from "../../core/bytes.ts";
import { setMembers } from "../../core/editJson.ts";
import { invariant } from "../../core/invariant.ts";
import { isObject } from "../../core/json.ts";
import type { AddedToken } from "./addedTokens.ts";
import { MAX_SIDE_FILE_BYTES, readTextFile, readTokenizerFiles } from "./tokenizerFiles.ts";
import type { Vocabulary } from "./vocabulary.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Vocabularies of readers older than tokenizer.json. */
const OLDER_VOCABULARY = /^(vocab\.json|vocab\.txt|merges\.txt|tekken\.json|[\w.]+\.model)$/;

/**
 * Tokenizer files of a checkpoint with another vocabulary, which has grown from the checkpoint's own
 * by added tokens or lost its last ones: tokenizer.json for whatever model (BPE with its merges,
 * Unigram, WordPiece), the added tokens in the other files that list them, and the files of older
 * readers as they are, unless they list a token that is gone.
 */
export async function writeTokenizer(
  own: FileTree,
  vocabulary: Pick<Vocabulary, "ids" | "added">,
): Promise<FileTree> {
  const read = await readTokenizerFiles(own);
  invariant(read, "a vocabulary comes from a tokenizer's files");
  const { tokenizer } = read;
  const model = cutModel(tokenizer.model, vocabulary.ids);
  const isCut = model !== tokenizer.model;
  const known = new Set(read.added.map(({ content }) => content));
  const added = [...vocabulary.added.values()].toSorted((a, b) => a.id - b.id);
  const isGrown = added.some(({ content }) => !known.has(content));
  const isMarked = isGrown && marksSpaces(tokenizer.normalizer);
  const document = {
    version: "1.0",
    truncation: null,
    padding: null,
    ...tokenizer,
    ...(isMarked && { normalizer: null, pre_tokenizer: SPACES_MARKED }),
    added_tokens: added.map((token) => ({ id: token.id, ...entryOf(token) })),
    model,
  };
  const files = new Map<string, ByteSource>();
  for (const [path, source] of own) {
    if (!isTokenizerFile(path) || (isCut && OLDER_VOCABULARY.test(path))) continue;
    files.set(path, source);
  }
  files.set("tokenizer.json", inMemory(`${JSON.stringify(document, null, 2)}\n`));
  const config = await readTextFile(own, "tokenizer_config.json", MAX_SIDE_FILE_BYTES);
  if (config !== null) {
    const listed = Object.fromEntries(added.map((token) => [token.id, entryOf(token)]));
    const decoder = JSON.stringify(listed, null, 2);
    const edited = setMembers(config, {
      ...(isObject(read.config.added_tokens_decoder) && { added_tokens_decoder: decoder }),
      ...(isMarked && read.config.legacy !== false && { legacy: "false" }),
    });
    files.set("tokenizer_config.json", inMemory(edited));
  }
  if (
    [...files.keys()].some((path) => OLDER_VOCABULARY.test(path) || path === "added_tokens.json")
  ) {
    const listed = new Set(modelTokens(model));
    const beside = added.filter(({ content }) => !listed.has(content));
    const ids = Object.fromEntries(beside.map(({ content, id }) => [content, id]));
    files.set("added_tokens.json", inMemory(`${JSON.stringify(ids, null, 2)}\n`));
  }
  return files;
}

const inMemory = (text: string) => bytesInMemory(new TextEncoder().encode(text));

function entryOf(token: AddedToken): Fields {
  return {
    content: token.content,
    single_word: token.singleWord,
    lstrip: token.lstrip,
    rstrip: token.rstrip,
    normalized: token.normalized,
    special: token.special,
  };
}

/** Spaces as SentencePiece's mark, and one before a text, but not behind an added token. */
const SPACES_MARKED = {
  type: "Metaspace",
  replacement: "▁",
  prepend_scheme: "first",
  split: false,
};

/**
 * Whether a normalizer puts SentencePiece's mark before a text. What stands behind an added token
 * would get one too, which is right for control tokens and wrong for parts of words: mergekit's
 * tokenizers, which transformers 5 writes, mark spaces in the next step.
 */
function marksSpaces(normalizer: unknown): boolean {
  if (!isObject(normalizer)) return false;
  const { type, normalizers } = normalizer;
  return type === "Prepend" || (Array.isArray(normalizers) && normalizers.some(marksSpaces));
}

function modelTokens(model: unknown): readonly string[] {
  const vocab = isObject(model) ? model.vocab : null;
  if (Array.isArray(vocab)) return vocab.map((entry: readonly unknown[]) => String(entry[0]));
  return isObject(vocab) ? Object.keys(vocab) : [];
}

/** A tokenizer.json's model without tokens that are gone; the same object where all are there. */
function cutModel(model: unknown, ids: ReadonlyMap<string, number>): unknown {
  const gone = new Set(modelTokens(model).filter((token) => !ids.has(token)));
  if (gone.size === 0 || !isObject(model)) return model;
  const { vocab, merges } = model;
  if (Array.isArray(vocab)) {
    return {
      ...model,
      vocab: vocab.filter((entry: readonly unknown[]) => !gone.has(`${entry[0]}`)),
    };
  }
  const kept = Object.entries(vocab as Fields).filter(([token]) => !gone.has(token));
  const joins = (merge: unknown) => {
    const [left = "", right = ""]: readonly string[] =
      typeof merge === "string" ? merge.split(" ") : (merge as readonly string[]);
    return !gone.has(left) && !gone.has(right) && !gone.has(left + right);
  };
  return {
    ...model,
    vocab: Object.fromEntries(kept),
    ...(Array.isArray(merges) && { merges: merges.filter(joins) }),
  };
}

/**
 * The files with another chat template: chat_template.jinja, where transformers 4.43 and later look
 * first, and tokenizer_config.json too where that states one.
 */
export async function setChatTemplate(files: FileTree, template: string): Promise<FileTree> {
  const written = new Map(files);
  written.set("chat_template.jinja", inMemory(template));
  const config = await readTextFile(files, "tokenizer_config.json", MAX_SIDE_FILE_BYTES);
  if (config !== null && /"chat_template"\s*:/.test(config)) {
    const edited = setMembers(config, { chat_template: JSON.stringify(template) });
    written.set("tokenizer_config.json", inMemory(edited));
  }
  return written;
}
