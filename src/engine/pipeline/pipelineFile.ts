import type { Node } from "yaml";
import {
  allowsValue,
  FUSION_DEFAULTS,
  FUSION_PROFILES,
  FUSION_SETTINGS,
  type PipelineMerge,
  type PipelineRequest,
  type SettingCard,
  type Settings,
  type SettingsOf,
  type SettingTable,
  sayRange,
  TRAINING_DEFAULTS,
  TRAINING_SETTINGS,
} from "../contract/index.ts";
import { didYouMean } from "../merge/recipe/nearest.ts";
import { readSettings, type SettingKeys } from "../merge/recipe/recipeSettings.ts";
import { type Entry, readYaml, type YamlText } from "../merge/recipe/yamlNodes.ts";
import { methods } from "../merge/registry.ts";
import { defaultMerges } from "./merges.ts";

/** A pipeline as its file states it: models and data are paths. */
export interface PipelineFile extends Omit<PipelineRequest, "datasets"> {
  readonly data: readonly string[];
}

const KEYS = [
  "name",
  "pivot",
  "sources",
  "data",
  "profile",
  "fuse",
  "train",
  "plain",
  "merges",
  "evaluation_tokens",
];
const DEFAULT_EVALUATION_TOKENS = 2048;

/**
 * Reads a pipeline's YAML. `bad-recipe` has line and column, names the key that is wrong, and says what
 * it must be:
 *
 *     pivot: ./pivot              # models: checkpoint folders
 *     sources: [./a, ./b]         # one target each
 *     data: [./texts.jsonl]
 *     profile: studio             # or fusellm, fusechat-v1, fusechat-v2
 *     fuse: {rows: 200, max_tokens: 512}
 *     train: {steps: 100, batch_tokens: 1024, rank: 8}
 *     plain: true                 # a fine-tune without sources, to compare with
 *     merges: [linear, varm-matrix, {name: mine, method: ties, per_model: {weight: 1, density: 0.3}}]
 *     evaluation_tokens: 20000
 */
export function parsePipeline(text: string): PipelineFile {
  const yaml = readYaml(text);
  const stated = readKeys(yaml, yaml.root, KEYS, "");
  const value = (key: string): Node | null => stated.get(key)?.value ?? null;
  const has = (key: string): boolean => stated.has(key);
  const profile = has("profile") ? yaml.scalar(value("profile"))?.text : "studio";
  const known = FUSION_PROFILES.find((id) => id === profile);
  if (!known) {
    const sentence = `"profile" must be one of ${FUSION_PROFILES.join(", ")}.`;
    return yaml.refuse(value("profile"), sentence, "profile");
  }
  const sources = texts(yaml, value("sources"), "sources");
  const evaluationTokens = value("evaluation_tokens");
  return {
    name: has("name") ? texts(yaml, value("name"), "name")[0]! : "fused",
    pivot: texts(yaml, value("pivot"), "pivot")[0]!,
    sources,
    data: texts(yaml, value("data"), "data"),
    fusion: settings(yaml, FUSION_SETTINGS, FUSION_DEFAULTS[known], stated.get("fuse")),
    training: settings(yaml, TRAINING_SETTINGS, TRAINING_DEFAULTS[known], stated.get("train")),
    plain: has("plain") ? flag(yaml, value("plain"), "plain") : true,
    merges: readMerges(yaml, stated.get("merges"), sources.length),
    evaluationTokens: evaluationTokens
      ? whole(yaml, evaluationTokens, "evaluation_tokens")
      : DEFAULT_EVALUATION_TOKENS,
  };
}

/** Entries of a mapping by key; unknown keys are refused. */
function readKeys(
  yaml: YamlText,
  at: Node | null,
  known: readonly string[],
  where: string,
): ReadonlyMap<string, Entry> {
  const entries = yaml.entries(at);
  if (!entries) {
    const sentence =
      where === ""
        ? "A pipeline states at least pivot, sources and data."
        : `"${where}" lists settings, as in "{name: value}".`;
    return yaml.refuse(at, sentence, where);
  }
  return takeKeys(yaml, entries, known, (key) => (where === "" ? key : `${where}.${key}`));
}

/** Entries by key; unknown ones are refused by their path. */
function takeKeys(
  yaml: YamlText,
  entries: readonly Entry[],
  known: readonly string[],
  pathOf: (key: string) => string,
): ReadonlyMap<string, Entry> {
  const stray = entries.find(({ key }) => !known.includes(key));
  if (stray) {
    const path = pathOf(stray.key);
    const hint = didYouMean(stray.key, known);
    yaml.refuse(stray.keyAt, `"${path}" is unknown; there are ${known.join(", ")}.${hint}`, path);
  }
  return new Map(entries.map((entry) => [entry.key, entry]));
}

/** One text or a list of them, exactly as written. */
function texts(yaml: YamlText, at: Node | null, key: string): readonly string[] {
  const items = yaml.items(at) ?? [at];
  const list = items.map((item) => yaml.scalar(item)?.text ?? "");
  if (list.length > 0 && list.every((text) => text !== "")) return list;
  return yaml.refuse(at, `"${key}" must name at least one, such as "./folder".`, key);
}

function flag(yaml: YamlText, at: Node | null, key: string): boolean {
  const value = yaml.scalar(at)?.value;
  return typeof value === "boolean"
    ? value
    : yaml.refuse(at, `"${key}" must be true or false.`, key);
}

function whole(yaml: YamlText, at: Node | null, key: string): number {
  const value = yaml.scalar(at)?.value;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  return yaml.refuse(at, `"${key}" must be a whole number from 1.`, key);
}

/** Key of a setting in the file: bad_rows for badRows. */
export const keyOf = (name: string) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Settings of a profile with the file's changes, in snake case. */
function settings<Table extends SettingTable>(
  yaml: YamlText,
  table: Table,
  usual: SettingsOf<Table>,
  entry: Entry | undefined,
): SettingsOf<Table> {
  if (!entry) return usual;
  const names = new Map(Object.keys(table).map((name) => [keyOf(name), name]));
  names.delete("profile"); // a key of the whole file
  const stated = readKeys(yaml, entry.value, [...names.keys()], entry.key);
  const changes = [...stated.values()].map(({ key, value: at }) => {
    const name = names.get(key) as string;
    const card = table[name] as SettingCard;
    const plain = yaml.plain(at);
    const value = card.kind === "list" && !Array.isArray(plain) ? [plain] : plain;
    const path = `${entry.key}.${key}`;
    if (!allowsValue(card, value)) yaml.refuse(at, `"${path}" must be ${sayRange(card)}.`, path);
    return [name, value];
  });
  return { ...usual, ...Object.fromEntries(changes) };
}

/** Named default merges, or the file's own; without any, all default merges. */
function readMerges(
  yaml: YamlText,
  entry: Entry | undefined,
  targets: number,
): readonly PipelineMerge[] {
  const usual = defaultMerges(targets);
  if (!entry) return usual;
  const items = yaml.items(entry.value);
  if (!items) {
    const sentence = `"merges" lists merges, as in "[linear, ties]".`;
    return yaml.refuse(entry.value, sentence, "merges");
  }
  return items.map((item) => {
    const word = yaml.scalar(item)?.text;
    if (word === undefined) return readMerge(yaml, item);
    const found = usual.find(({ name }) => name === word);
    if (found) return found;
    const names = usual.map(({ name }) => name);
    const hint = didYouMean(word, names);
    const sentence = `There is no merge "${word}"; there are ${names.join(", ")}.${hint}`;
    return yaml.refuse(item, sentence, "merges");
  });
}

/** A merge of the file's own. Its parameters are checked when the merge is planned. */
function readMerge(yaml: YamlText, at: Node | null): PipelineMerge {
  const stated = readKeys(yaml, at, ["name", "method", "parameters", "per_model"], "merges");
  const value = (key: string): Node | null => stated.get(key)?.value ?? null;
  const method = texts(yaml, value("method") ?? at, "merges.method")[0]!;
  if (!methods.has(method)) {
    const known = [...methods.keys()];
    const hint = didYouMean(method, known);
    const sentence = `There is no method "${method}"; there are ${known.join(", ")}.${hint}`;
    yaml.refuse(value("method"), sentence, "merges.method");
  }
  const some = (key: string): Settings => {
    if (!stated.has(key)) return {};
    const path = `merges.${key}`;
    const take: SettingKeys["take"] = (entries, known) =>
      takeKeys(yaml, entries, known, (stray) => `${path}.${stray}`);
    return readSettings({ yaml, take }, value(key), path);
  };
  return {
    name: stated.has("name") ? texts(yaml, value("name"), "merges.name")[0]! : method,
    method,
    parameters: some("parameters"),
    perModel: some("per_model"),
  };
}
