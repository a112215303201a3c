import type { Node } from "yaml";
import {
  EngineError,
  type FloatName,
  GATE_MODES,
  type MixtureConfig,
  type MixtureExpert,
} from "../contract/index.ts";
import { readModelName } from "../merge/recipe/recipeInputs.ts";
import { createKeyReader, type KeyReader } from "../merge/recipe/recipeKeys.ts";
import { type Entry, readYaml } from "../merge/recipe/yamlNodes.ts";

const KEYS = [
  "base_model",
  "experts",
  "shared_experts",
  "gate_mode",
  "dtype",
  "experts_per_token",
  "architecture",
  "seed",
];
const EXPERT_KEYS = [
  "source_model",
  "positive_prompts",
  "negative_prompts",
  "noise_scale",
  "residual_scale",
];
const DTYPES: readonly FloatName[] = ["float32", "float16", "bfloat16"];
const MOST_EXPERTS = 256;
const MOST_PROMPTS = 1024;

export interface ParsedMixture {
  readonly config: MixtureConfig;
  /** Keys without effect, with their lines. */
  readonly notes: readonly string[];
}

/** Whether a YAML text is a config of mergekit-moe: a mapping with `experts` and no `merge_method`. */
export function isMixture(text: string): boolean {
  try {
    const yaml = readYaml(text);
    const keys = (yaml.entries(yaml.root) ?? []).map(({ key }) => key);
    return keys.includes("experts") && !keys.includes("merge_method");
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}

/**
 * Parses a config of mergekit-moe 0.1.5; `seed` is the studio's own key. `bad-recipe` with line and
 * column for what it cannot mean.
 */
export function parseMixture(text: string): ParsedMixture {
  const yaml = readYaml(text);
  const entries = yaml.entries(yaml.root);
  if (!entries) yaml.refuse(yaml.root, `a mixture starts with "base_model:" and "experts:".`);
  const keys = createKeyReader(yaml);
  const given = takeGiven(keys, entries, KEYS, "a mixture");
  const base = given("base_model");
  if (!base) return yaml.refuse(yaml.root, `the mixture has no "base_model".`, "base_model");
  const list = given("experts");
  if (!list) return yaml.refuse(yaml.root, `the mixture has no "experts".`, "experts");
  const shared = given("shared_experts");
  const dtype = readWord(keys, given("dtype"), DTYPES);
  const architecture = given("architecture");
  const wholeNumber = (key: string, fallback: number, most: number) =>
    readNumber(keys, given(key), { fallback, min: key === "seed" ? 0 : 1, max: most, whole: true });
  const config: MixtureConfig = {
    base: readModelName(keys, base.value),
    experts: readExperts(keys, list),
    sharedExperts: shared ? readExperts(keys, shared) : [],
    gateMode: readWord(keys, given("gate_mode"), GATE_MODES) ?? "hidden",
    ...(dtype && { dtype }),
    expertsPerToken: wholeNumber("experts_per_token", 2, MOST_EXPERTS),
    ...(architecture && { architecture: readText(keys, architecture.value, "architecture") }),
    seed: wholeNumber("seed", 0, 2 ** 32 - 1),
  };
  const notes = keys.findings.map(({ message, line }) => `Line ${line}: ${message}`);
  return { config, notes };
}

/** Entries by key, those that are null left out. */
function takeGiven(
  keys: KeyReader,
  entries: readonly Entry[] | null,
  known: readonly string[],
  where: string,
) {
  const taken = keys.take(entries ?? [], known, where);
  return (key: string): Entry | undefined => {
    const entry = taken.get(key);
    return entry && keys.yaml.scalar(entry.value)?.value !== null ? entry : undefined;
  };
}

function readExperts(keys: KeyReader, { key, keyAt, value }: Entry): readonly MixtureExpert[] {
  const { yaml } = keys;
  const items = yaml.items(value) ?? yaml.refuse(keyAt, `"${key}" must be a list.`, key);
  if (items.length > MOST_EXPERTS) {
    yaml.refuse(keyAt, `"${key}" lists more than ${MOST_EXPERTS} experts.`, key);
  }
  return items.map((item) => {
    const entries = yaml.entries(item);
    if (!entries) {
      return yaml.refuse(item, `each entry of "${key}" is written "- source_model: name".`, key);
    }
    const given = takeGiven(keys, entries, EXPERT_KEYS, `an entry of "${key}"`);
    const model = given("source_model");
    if (!model) return yaml.refuse(item, `this expert has no "source_model".`, "source_model");
    const noise = given("noise_scale");
    const residual = given("residual_scale");
    return {
      model: readModelName(keys, model.value),
      positivePrompts: readPrompts(keys, given("positive_prompts")),
      negativePrompts: readPrompts(keys, given("negative_prompts")),
      ...(noise && { noiseScale: readScale(keys, noise) }),
      ...(residual && { residualScale: readScale(keys, residual) }),
    };
  });
}

const readScale = (keys: KeyReader, entry: Entry) =>
  readNumber(keys, entry, { fallback: 1, min: -1e6, max: 1e6 });

function readPrompts(keys: KeyReader, entry: Entry | undefined): readonly string[] {
  if (!entry) return [];
  const { key, keyAt, value } = entry;
  const { yaml } = keys;
  const items = yaml.items(value) ?? yaml.refuse(keyAt, `"${key}" must be a list of texts.`, key);
  if (items.length > MOST_PROMPTS) {
    yaml.refuse(keyAt, `"${key}" lists more than ${MOST_PROMPTS} texts.`, key);
  }
  return items.map((item) => readText(keys, item, key));
}

function readText({ yaml }: KeyReader, at: Node | null, key: string): string {
  const scalar = yaml.scalar(at);
  if (scalar && scalar.value !== null) return scalar.text;
  return yaml.refuse(at, `"${key}" must be a text.`, key);
}

function readWord<W extends string>(
  { yaml }: KeyReader,
  entry: Entry | undefined,
  words: readonly W[],
): W | undefined {
  if (!entry) return undefined;
  const text = yaml.scalar(entry.value)?.text.replace(/^torch\./, "");
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const sentence = `"${entry.key}" must be one of ${words.join(", ")}.`;
  return yaml.refuse(entry.value, sentence, entry.key);
}

function readNumber(
  { yaml }: KeyReader,
  entry: Entry | undefined,
  options: {
    readonly fallback: number;
    readonly min: number;
    readonly max: number;
    readonly whole?: boolean;
  },
): number {
  if (!entry) return options.fallback;
  const { min, max, whole = false } = options;
  const value = Number(yaml.scalar(entry.value)?.value ?? Number.NaN);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "a whole number" : "a number";
  return yaml.refuse(
    entry.value,
    `"${entry.key}" must be ${kind} from ${min} to ${max}.`,
    entry.key,
  );
}
