import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import {
  type ConfigField,
  configFields,
  parseConfig,
  rewriteConfig,
} from "../../checkpoint/config.ts";
import { isTokenizerFile } from "../../checkpoint/tokenizerFile.ts";
import type { Recipe } from "../../contract/index.ts";
import { bytesInMemory, type FileTree } from "../../core/bytes.ts";
import { BUILT_IN_TEMPLATES } from "../../text/templates/builtIn.ts";
import { readChatTemplate } from "../../text/templates/template.ts";
import { MAX_SIDE_FILE_BYTES, readTextFile } from "../../text/tokenizers/tokenizerFiles.ts";
import { TOKEN_ROLES } from "../../text/tokenizers/vocabulary.ts";
import { setChatTemplate, writeTokenizer } from "../../text/tokenizers/writeTokenizer.ts";
import type { MergedVocabulary } from "./mergedVocabulary.ts";

const inMemory = (text: string) => bytesInMemory(new TextEncoder().encode(text));

const ofTokenizer = (files: FileTree): FileTree =>
  new Map([...files].filter(([path]) => isTokenizerFile(path)));

/**
 * Tokenizer files of a result: those of its vocabulary's donor, or of the template where the recipe
 * asks for none, byte for byte where the vocabulary is the donor's; with the chat template that the
 * recipe states.
 */
async function resultTokenizer(
  template: Checkpoint,
  vocabulary: MergedVocabulary | null,
  chatTemplate: string | null,
): Promise<FileTree> {
  const files = (vocabulary?.donor ?? template).files;
  const own = ofTokenizer(files);
  const written =
    vocabulary && !vocabulary.unchanged ? await writeTokenizer(own, vocabulary.vocabulary) : own;
  return chatTemplate === null ? written : setChatTemplate(written, chatTemplate);
}

/**
 * The chat template that a recipe asks for, or null: a built-in one, its own text, or for `auto` the
 * one that most of its models have (the first of as many).
 */
export async function chooseChatTemplate(
  { chatTemplate }: Recipe,
  models: Iterable<FileTree>,
): Promise<string | null> {
  if (chatTemplate === undefined) return null;
  if (Object.hasOwn(BUILT_IN_TEMPLATES, chatTemplate)) return BUILT_IN_TEMPLATES[chatTemplate]!;
  if (chatTemplate !== "auto") return chatTemplate;
  const votes = new Map<string, number>();
  for (const files of models) {
    const text = (await readChatTemplate(files))?.trim();
    if (text) votes.set(text, (votes.get(text) ?? 0) + 1);
  }
  const [most] = [...votes].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? null;
}

const NAMES_IDS = /_token_ids?$|_token_index$/;

/**
 * Fields of the template's config that name tokens by id, with their ids in the result's vocabulary:
 * the same token's, else that of the token in the same role (`eos_token_id`), else null. Empty where
 * the result keeps the template's ids.
 */
export function moveIds(
  template: Checkpoint,
  merged: MergedVocabulary | null,
  text: string,
  file: string,
): readonly ConfigField[] {
  const [first] = merged?.models.values() ?? [];
  if (!merged || !first || merged.donor.files === template.files) return [];
  const { vocabulary: result } = merged;
  const tokens = new Map([...first.vocabulary.ids].map(([token, id]) => [id, token]));
  const idOf = (id: number, key: string): number | null => {
    const role = TOKEN_ROLES.find((each) => key.startsWith(`${each}_token_id`));
    const inRole = role && result.roles.get(role);
    return result.ids.get(tokens.get(id) ?? "") ?? result.ids.get(inRole ?? "") ?? null;
  };
  return configFields(parseConfig(text, file), file).flatMap(({ path, key, json }) => {
    if (!NAMES_IDS.test(key)) return [];
    const value: unknown = JSON.parse(json);
    const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (!ids.every((id) => typeof id === "number" && id >= 0)) return [];
    const moved = ids.map((id) => idOf(Number(id), key));
    const after = Array.isArray(value) ? moved.filter((id) => id !== null) : moved[0]!;
    if (JSON.stringify(after) === JSON.stringify(value)) return [];
    return [{ path, key, json: JSON.stringify(after) }];
  });
}

/**
 * The files beside a result's weights that depend on its vocabulary: the tokenizer's in place of the
 * template's, and the token ids of generation_config.json.
 */
export async function replaceTokenizer(
  files: FileTree,
  template: Checkpoint,
  merged: MergedVocabulary | null,
  chatTemplate: string | null,
): Promise<FileTree> {
  if (!merged && chatTemplate === null) return files;
  const replaced = new Map([...files].filter(([path]) => !isTokenizerFile(path)));
  for (const [path, source] of await resultTokenizer(template, merged, chatTemplate)) {
    replaced.set(path, source);
  }
  const file = "generation_config.json";
  const text = await readTextFile(files, file, MAX_SIDE_FILE_BYTES);
  if (text === null) return replaced;
  const fields = moveIds(template, merged, text, file);
  if (fields.length > 0) replaced.set(file, inMemory(rewriteConfig(text, { fields }, file)));
  return replaced;
}
