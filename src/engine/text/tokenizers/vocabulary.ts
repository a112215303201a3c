import type { FileTree } from "../../core/bytes.ts";
import { clip, isObject } from "../../core/json.ts";
import { refuseTokenizer } from "../patterns/pattern.ts";
import type { AddedToken } from "./addedTokens.ts";
import { isTokenId } from "./bpe.ts";
import { classRoles } from "./classRoles.ts";
import {
  MAX_SIDE_FILE_BYTES,
  nameOf,
  readJson,
  readTokenizerFiles,
  type TokenizerFiles,
} from "./tokenizerFiles.ts";

/** Roles of special tokens, in the order in which transformers gives an id to those without one. */
export const TOKEN_ROLES = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** Tokens of a tokenizer whatever its model (BPE, Unigram, WordPiece), by their strings on file. */
export interface Vocabulary {
  /** Id of each token, added ones among them, in the order of the files. */
  readonly ids: ReadonlyMap<string, number>;
  /** Added tokens, which are found in a text before the model sees it. */
  readonly added: ReadonlyMap<string, AddedToken>;
  /** Token of each role that the files name. */
  readonly roles: ReadonlyMap<TokenRole, string>;
  /** Special tokens without a role. */
  readonly extra: readonly string[];
}

/** Files of a checkpoint that a vocabulary is read from, beside its config's `model_type`. */
export const VOCABULARY_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
] as const;

/** Vocabulary of a checkpoint's tokenizer; null where it has none that is read. */
export async function readVocabulary(tree: FileTree): Promise<Vocabulary | null> {
  const files = await readTokenizerFiles(tree);
  if (!files) return null;
  const model = await readJson(tree, "config.json", MAX_SIDE_FILE_BYTES);
  return completeSpecials(openVocabulary(files, model?.model_type));
}

function openVocabulary(files: TokenizerFiles, modelType: unknown): Vocabulary {
  const { tokenizer, added, config } = files;
  const ids = modelIds(tokenizer.model);
  for (const { content, id } of added) ids.set(content, id);
  const roles = new Map<TokenRole, string>();
  const ofClass = classRoles(files, modelType);
  for (const role of TOKEN_ROLES) {
    const isNone = config[`${role}_token`] === null;
    const token = files.tokenOf(`${role}_token`) ?? (isNone ? null : ofClass[role]);
    if (token) roles.set(role, token);
  }
  const extra = [config.additional_special_tokens, config.extra_special_tokens].flatMap((list) =>
    (Array.isArray(list) ? list : []).flatMap((entry: unknown) => nameOf(entry) ?? []),
  );
  return {
    ids,
    added: new Map(added.map((token) => [token.content, token])),
    roles,
    extra: extra.filter((token) => token !== ""),
  };
}

/** Ids of a model's own tokens: its vocabulary is an object, or Unigram's list of [token, score]. */
function modelIds(model: unknown): Map<string, number> {
  const vocab = isObject(model) ? model.vocab : null;
  const ids = new Map<string, number>();
  if (Array.isArray(vocab)) {
    for (const [id, entry] of vocab.entries()) {
      const token: unknown = Array.isArray(entry) ? entry[0] : null;
      if (typeof token !== "string") return refuseTokenizer(`its token ${id} is not a string`);
      ids.set(token, id);
    }
    return ids;
  }
  if (!isObject(vocab)) return refuseTokenizer("its model has no vocabulary");
  for (const [token, id] of Object.entries(vocab)) {
    if (!isTokenId(id)) return refuseTokenizer(`the token ${clip(token)} has no usable id`);
    ids.set(token, id);
  }
  return ids;
}

/** First id behind all tokens. */
export function endOfIds({ ids }: Pick<Vocabulary, "ids">): number {
  let highest = -1;
  for (const id of ids.values()) highest = Math.max(highest, id);
  return highest + 1;
}

/** An added token as transformers makes it of a bare string. */
export function plainToken(content: string, id: number, special = false): AddedToken {
  const flags = { singleWord: false, lstrip: false, rstrip: false, normalized: !special };
  return { id, content, special, ...flags };
}

/**
 * The vocabulary with an id for every special token that the files name: transformers adds those
 * without one behind all others, `<pad>` of many a fine-tune among them.
 */
export function completeSpecials(vocabulary: Vocabulary): Vocabulary {
  const { ids, roles, extra } = vocabulary;
  const named = [...TOKEN_ROLES.flatMap((role) => roles.get(role) ?? []), ...extra];
  const missing = [...new Set(named.filter((token) => !ids.has(token)))];
  const end = endOfIds(vocabulary);
  return addTokens(
    vocabulary,
    missing.map((token, i) => plainToken(token, end + i, true)),
  );
}

/** The vocabulary with further added tokens; the same object where there are none. */
export function addTokens(vocabulary: Vocabulary, tokens: readonly AddedToken[]): Vocabulary {
  if (tokens.length === 0) return vocabulary;
  const ids = new Map(vocabulary.ids);
  const added = new Map(vocabulary.added);
  for (const token of tokens) {
    ids.set(token.content, token.id);
    added.set(token.content, token);
  }
  return { ...vocabulary, ids, added };
}

/** The vocabulary without the tokens from an id on; the same object where there are none. */
export function cutTokens(vocabulary: Vocabulary, end: number): Vocabulary {
  if (endOfIds(vocabulary) <= end) return vocabulary;
  const kept = [...vocabulary.ids].filter(([, id]) => id < end);
  const added = [...vocabulary.added].filter(([, { id }]) => id < end);
  return { ...vocabulary, ids: new Map(kept), added: new Map(added) };
}

/** Whether two vocabularies have the same tokens under the same ids. */
export function sameIds(a: Vocabulary, b: Vocabulary): boolean {
  if (a === b || a.ids === b.ids) return true;
  if (a.ids.size !== b.ids.size) return false;
  for (const [token, id] of a.ids) if (b.ids.get(token) !== id) return false;
  return true;
}
