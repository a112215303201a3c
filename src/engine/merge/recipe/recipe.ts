import type { Node } from "yaml";
import type {
  Conditional,
  FloatName,
  Level,
  Recipe,
  RecipeModel,
  Setting,
  Settings,
} from "../../contract/index.ts";
import { didYouMean } from "./nearest.ts";
import { OWN_KEYS, readOwnKeys } from "./ownKeys.ts";
import { readSettings, refuseKey } from "./recipeSettings.ts";
import { formatScalar, formatString } from "./scalar.ts";
import { type Entry, readYaml, type YamlText } from "./yamlNodes.ts";

const KEYS = [
  "merge_method",
  "models",
  "base_model",
  "parameters",
  "dtype",
  "out_dtype",
  ...OWN_KEYS,
];
const DTYPES: readonly FloatName[] = ["float32", "float16", "bfloat16"];
/** More models than any method takes; the method's own limit is checked in the plan. */
const MODEL_LIMIT = 256;

function readName(yaml: YamlText, at: Node | null, key: string): string {
  const name = yaml.scalar(at)?.text ?? "";
  if (name === "") yaml.refuse(at, `"${key}" must be the name of a model.`, key);
  return name;
}

function readModel(yaml: YamlText, at: Node | null): RecipeModel {
  const known = ["model", "parameters"];
  const entries = yaml.entries(at);
  if (!entries) return yaml.refuse(at, `each entry of "models" is written "- model: name".`);
  const stray = entries.find((entry) => !known.includes(entry.key));
  if (stray) return refuseKey(yaml, stray, known);
  const model = entries.find((entry) => entry.key === "model");
  if (!model) return yaml.refuse(at, `this entry of "models" names no model.`, "model");
  const parameters = entries.find((entry) => entry.key === "parameters");
  return {
    model: readName(yaml, model.value, "model"),
    parameters: parameters ? readSettings(yaml, parameters.value) : {},
  };
}

function readModels(yaml: YamlText, entry: Entry): readonly RecipeModel[] {
  const items = yaml.items(entry.value);
  if (!items || items.length === 0) {
    return yaml.refuse(entry.keyAt, `"models" must list at least one model.`, "models");
  }
  if (items.length > MODEL_LIMIT) {
    return yaml.refuse(entry.keyAt, `"models" lists more than ${MODEL_LIMIT} models.`, "models");
  }
  return items.map((item) => readModel(yaml, item));
}

function readDtype(yaml: YamlText, { key, value }: Entry): FloatName | undefined {
  const scalar = yaml.scalar(value);
  if (scalar?.value === null) return undefined;
  const name = scalar?.text.replace(/^torch\./, "") ?? "";
  return (
    DTYPES.find((dtype) => dtype === name) ??
    yaml.refuse(
      value,
      `"${key}" must be ${DTYPES.join(", ")}, not "${name}".${didYouMean(name, DTYPES)}`,
      key,
    )
  );
}

/**
 * A recipe in mergekit's YAML, read as YAML 1.1. Keys that the studio does not follow are refused by
 * name: nothing is ignored. `bad-recipe` with line, column and key.
 */
export function parseRecipe(text: string): Recipe {
  const yaml = readYaml(text);
  const entries = yaml.entries(yaml.root);
  if (!entries) {
    return yaml.refuse(yaml.root, `a recipe starts with "merge_method:" and "models:".`);
  }
  const stray = entries.find((entry) => !KEYS.includes(entry.key));
  if (stray) return refuseKey(yaml, stray, KEYS);
  const given = (key: string) => {
    const entry = entries.find((candidate) => candidate.key === key);
    return entry && yaml.scalar(entry.value)?.value !== null ? entry : undefined;
  };
  const need = (key: string) =>
    given(key) ?? yaml.refuse(yaml.root, `the recipe has no "${key}".`, key);

  const base = given("base_model");
  const parameters = given("parameters");
  const dtype = given("dtype");
  const outDtype = given("out_dtype");
  const dtypeName = dtype && readDtype(yaml, dtype);
  const outDtypeName = outDtype && readDtype(yaml, outDtype);
  return {
    method: readName(yaml, need("merge_method").value, "merge_method"),
    ...(base && { base: readName(yaml, base.value, "base_model") }),
    models: readModels(yaml, need("models")),
    parameters: parameters ? readSettings(yaml, parameters.value) : {},
    ...(dtypeName && { dtype: dtypeName }),
    ...(outDtypeName && { outDtype: outDtypeName }),
    ...readOwnKeys(yaml, given),
  };
}

const isConditional = (item: unknown): item is Conditional =>
  typeof item === "object" && item !== null;

function formatLevel(level: Level | readonly string[]): string {
  if (typeof level !== "object") return formatScalar(level);
  return `[${level.map((value) => formatScalar(value)).join(", ")}]`;
}

function formatSetting(name: string, setting: Setting, indent: string): readonly string[] {
  const key = `${indent}${formatString(name)}:`;
  if (typeof setting !== "object" || !setting.some(isConditional)) {
    return [`${key} ${formatLevel(setting as Level | readonly string[])}`];
  }
  const entries = (setting as readonly Conditional[]).map(({ filter, value }) => {
    const level = formatLevel(value);
    return filter === undefined
      ? `${indent}  - value: ${level}`
      : `${indent}  - filter: ${formatString(filter)}\n${indent}    value: ${level}`;
  });
  return [key, ...entries];
}

function formatSettings(settings: Settings, indent: string): readonly string[] {
  const names = Object.entries(settings);
  if (names.length === 0) return [];
  return [
    `${indent}parameters:`,
    ...names.flatMap(([name, setting]) => formatSetting(name, setting, `${indent}  `)),
  ];
}

/**
 * The recipe as mergekit's YAML, which PyYAML and `parseRecipe` read as the same recipe: YAML 1.1,
 * one line a value, floats as 1.0e-05.
 */
export function formatRecipe(recipe: Recipe): string {
  const lines = [
    `merge_method: ${formatString(recipe.method)}`,
    ...(recipe.base === undefined ? [] : [`base_model: ${formatString(recipe.base)}`]),
    "models:",
    ...recipe.models.flatMap(({ model, parameters }) => [
      `  - model: ${formatString(model)}`,
      ...formatSettings(parameters, "    "),
    ]),
    ...formatSettings(recipe.parameters, ""),
    ...(recipe.dtype === undefined ? [] : [`dtype: ${recipe.dtype}`]),
    ...(recipe.outDtype === undefined ? [] : [`out_dtype: ${recipe.outDtype}`]),
    ...(recipe.allowArchitectureMismatch ? ["allow_architecture_mismatch: true"] : []),
    ...(recipe.extraTensors ? formatSetting("extra_tensors", recipe.extraTensors, "") : []),
  ];
  return `${lines.join("\n")}\n`;
}
