import type { Conditional, Level, Recipe, Setting, Settings } from "../../contract/index.ts";
import { formatScalar, formatString } from "./scalar.ts";

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
    ...(recipe.tokenizer === undefined
      ? []
      : [`tokenizer_source: ${formatString(recipe.tokenizer)}`]),
    "models:",
    ...recipe.models.flatMap(({ model, parameters }) => [
      `  - model: ${formatString(model)}`,
      ...formatSettings(parameters, "    "),
    ]),
    ...formatSettings(recipe.parameters, ""),
    ...(recipe.dtype === undefined ? [] : [`dtype: ${recipe.dtype}`]),
    ...(recipe.outDtype === undefined ? [] : [`out_dtype: ${recipe.outDtype}`]),
    ...(recipe.allowArchitectureMismatch ? ["allow_architecture_mismatch: true"] : []),
    ...(recipe.copyCode ? ["copy_code: true"] : []),
    ...(recipe.fillNanRows ? ["fill_nan_rows: true"] : []),
    ...(recipe.extraTensors ? formatSetting("extra_tensors", recipe.extraTensors, "") : []),
  ];
  return `${lines.join("\n")}\n`;
}
