import { parseDocument } from "yaml";
import {
  EngineError,
  FUSION_PROFILES,
  type FusionProfile,
  type PipelineMerge,
  type PipelineRequest,
  type Settings,
  TRAINED_MODULES,
} from "../contract/index.ts";
import { isObject } from "../core/json.ts";
import { FUSION_CHOICES, PROFILES } from "../fuse/profiles.ts";
import { didYouMean } from "../merge/recipe/nearest.ts";
import { methods } from "../merge/registry.ts";
import { TRAINING_CHOICES, TRAINING_PROFILES } from "../train/settings.ts";
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
const LONGEST_TEXT = 2 ** 20;

function refuse(message: string, key: string): never {
  throw new EngineError("bad-recipe", message, { key });
}

/**
 * Reads a pipeline's YAML. `bad-recipe` names the key that is wrong, and says what it must be:
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
  if (text.length > LONGEST_TEXT) refuse("A pipeline's file is at most 1 MiB long.", "");
  const document = parseDocument(text, { schema: "core", uniqueKeys: true });
  const [problem] = document.errors;
  if (problem) refuse(`The pipeline is no YAML: ${problem.message}`, "");
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isObject(value)) refuse(`A pipeline states at least pivot, sources and data.`, "");
  checkKeys(value, KEYS, "");
  const profile = FUSION_PROFILES.find((id) => id === (value.profile ?? "studio"));
  if (!profile) refuse(`"profile" must be one of ${FUSION_PROFILES.join(", ")}.`, "profile");
  const sources = texts(value.sources, "sources");
  return {
    name: value.name === undefined ? "fused" : texts([value.name], "name")[0]!,
    pivot: texts([value.pivot], "pivot")[0]!,
    sources,
    data: texts(value.data, "data"),
    fusion: settings(PROFILES[profile], value.fuse, "fuse", profile),
    training: settings(TRAINING_PROFILES[profile], value.train, "train", profile),
    plain: value.plain === undefined ? true : flag(value.plain, "plain"),
    merges: readMerges(value.merges, sources.length),
    evaluationTokens: whole(value.evaluation_tokens ?? 2048, "evaluation_tokens"),
  };
}

function checkKeys(value: object, known: readonly string[], where: string): void {
  const stray = Object.keys(value).find((key) => !known.includes(key));
  if (stray === undefined) return;
  const path = where === "" ? stray : `${where}.${stray}`;
  refuse(`"${path}" is unknown; there are ${known.join(", ")}.${didYouMean(stray, known)}`, path);
}

function texts(value: unknown, key: string): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  const fine = list.every((each): each is string => typeof each === "string" && each !== "");
  if (fine && list.length > 0) return list;
  return refuse(`"${key}" must name at least one, such as "./folder".`, key);
}

function flag(value: unknown, key: string): boolean {
  return typeof value === "boolean" ? value : refuse(`"${key}" must be true or false.`, key);
}

function whole(value: unknown, key: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  return refuse(`"${key}" must be a whole number from 1.`, key);
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Words that some settings take; the others are as their profile's value is. */
const CHOICES: Readonly<Record<string, readonly unknown[]>> = {
  ...FUSION_CHOICES,
  ...TRAINING_CHOICES,
};

/** A profile's settings with what the file changes, in snake case. */
function settings<T extends object>(
  usual: T,
  stated: unknown,
  where: string,
  profile: FusionProfile,
): T {
  if (stated === undefined) return usual;
  if (!isObject(stated)) refuse(`"${where}" lists settings, as in "{rows: 100}".`, where);
  const names = new Map(Object.keys(usual).map((name) => [snake(name), name]));
  names.delete("profile");
  checkKeys(stated, [...names.keys()], where);
  const changes = Object.entries(stated).map(([key, value]) => {
    const name = names.get(key) as string;
    const before = (usual as Record<string, unknown>)[name];
    return [name, readSetting(name, value, before, `${where}.${key}`)];
  });
  return { ...usual, ...Object.fromEntries(changes), ...("profile" in usual ? { profile } : {}) };
}

function readSetting(name: string, value: unknown, usual: unknown, path: string): unknown {
  const choices = CHOICES[name];
  if (choices) {
    if (choices.includes(value)) return value;
    return refuse(`"${path}" must be one of ${choices.map(String).join(", ")}.`, path);
  }
  if (name === "modules") {
    const list = Array.isArray(value) ? value : [value];
    const known = (module: unknown) => TRAINED_MODULES.some((each) => each === module);
    if (list.length > 0 && list.every(known)) return list;
    return refuse(`"${path}" must list some of ${TRAINED_MODULES.join(", ")}.`, path);
  }
  if (name === "steps" && value === null) return null;
  const wanted = name === "steps" ? "number" : typeof usual;
  if (typeof value === wanted && (wanted !== "number" || Number.isFinite(value))) return value;
  return refuse(`"${path}" must be a ${wanted}.`, path);
}

/** Names of the usual merges, or merges of one's own; without any, all the usual ones. */
function readMerges(value: unknown, targets: number): readonly PipelineMerge[] {
  const usual = defaultMerges(targets);
  if (value === undefined) return usual;
  if (!Array.isArray(value)) refuse(`"merges" lists merges, as in "[linear, ties]".`, "merges");
  return value.map((one: unknown) => {
    if (typeof one === "string") {
      const found = usual.find(({ name }) => name === one);
      const names = usual.map(({ name }) => name);
      if (found) return found;
      const hint = didYouMean(one, names);
      return refuse(`There is no merge "${one}"; there are ${names.join(", ")}.${hint}`, "merges");
    }
    if (!isObject(one)) return refuse(`A merge is a name, or a list of settings.`, "merges");
    checkKeys(one, ["name", "method", "parameters", "per_model"], "merges");
    const method = texts([one.method], "merges.method")[0]!;
    if (!methods.has(method)) {
      const known = [...methods.keys()];
      refuse(`There is no method "${method}"; there are ${known.join(", ")}.`, "merges.method");
    }
    const some = (key: "parameters" | "per_model"): Settings => {
      const given = one[key] ?? {};
      if (!isObject(given)) refuse(`"merges.${key}" lists parameters.`, `merges.${key}`);
      return given as Settings; // held against the method's own when the merge is planned
    };
    const name = one.name === undefined ? method : texts([one.name], "merges.name")[0]!;
    return { name, method, parameters: some("parameters"), perModel: some("per_model") };
  });
}
