import type {
  Conditional,
  Level,
  Recipe,
  RecipeInputs,
  RecipeModel,
  RecipeModule,
  RecipeSlice,
  RecipeToken,
  RecipeTokenizer,
  Setting,
  Settings,
} from "../../contract/index.ts";
import { formatScalar, formatString } from "./scalar.ts";

type Lines = readonly string[];

const indent = (lines: Lines): Lines => lines.map((line) => `  ${line}`);

/** An item of a list: its first line behind a dash. */
const item = (lines: Lines): Lines =>
  indent(lines).map((line, i) => (i === 0 ? `- ${line.slice(2)}` : line));

const isConditional = (each: unknown): each is Conditional =>
  typeof each === "object" && each !== null;

function formatLevel(level: Level | readonly string[]): string {
  if (typeof level !== "object") return formatScalar(level);
  return `[${level.map((value) => formatScalar(value)).join(", ")}]`;
}

function formatSetting(name: string, setting: Setting): Lines {
  const key = `${formatString(name)}:`;
  if (typeof setting !== "object" || !setting.some(isConditional)) {
    return [`${key} ${formatLevel(setting as Level | readonly string[])}`];
  }
  const entries = (setting as readonly Conditional[]).flatMap(({ filter, value }) => {
    const level = `value: ${formatLevel(value)}`;
    return item(filter === undefined ? [level] : [`filter: ${formatString(filter)}`, level]);
  });
  return [key, ...indent(entries)];
}

function formatSettings(settings: Settings): Lines {
  const lines = Object.entries(settings).flatMap(([name, setting]) => formatSetting(name, setting));
  return lines.length === 0 ? [] : ["parameters:", ...indent(lines)];
}

const formatModel = ({ model, parameters }: RecipeModel, range: Lines = []): Lines =>
  item([`model: ${formatString(model)}`, ...range, ...formatSettings(parameters)]);

function formatSlice({ sources, base, parameters }: RecipeSlice): Lines {
  const listed = sources.flatMap((source) =>
    formatModel(source, [`layer_range: [${source.layers.join(", ")}]`]),
  );
  return item([
    "sources:",
    ...indent(listed),
    ...(base === undefined ? [] : [`base_model: ${formatString(base)}`]),
    ...formatSettings(parameters),
  ]);
}

function formatInputs({ models, slices }: Omit<RecipeInputs, "parameters">): Lines {
  if (slices) return ["slices:", ...indent(slices.flatMap(formatSlice))];
  return ["models:", ...indent(models.flatMap((model) => formatModel(model)))];
}

const formatModule = (module: RecipeModule): Lines => [
  `${formatString(module.name)}:`,
  ...indent([...formatInputs(module), ...formatSettings(module.parameters)]),
];

function formatToken({ token, source, force }: RecipeToken): Lines {
  const from = (): Lines => {
    if (source === undefined) return [];
    if (source.kind === "model") return [`source: ${formatString(source.model)}`];
    if (source.kind === "zero") return ["source:", "  kind: zero"];
    const { model, token: which } = source;
    const row = typeof which === "number" ? `token_id: ${which}` : `token: ${formatString(which)}`;
    return ["source:", ...indent(["kind: model_token", `model: ${formatString(model)}`, row])];
  };
  const lines = [...from(), ...(force ? ["force: true"] : [])];
  if (lines.length === 0) return [`${formatString(token)}: {}`];
  return [`${formatString(token)}:`, ...indent(lines)];
}

function formatTokenizer({ source, tokens = [], padToMultipleOf }: RecipeTokenizer): Lines {
  if (tokens.length === 0 && padToMultipleOf === undefined) {
    return [`tokenizer_source: ${formatString(source)}`];
  }
  const listed = tokens.length === 0 ? [] : ["tokens:", ...indent(tokens.flatMap(formatToken))];
  return [
    "tokenizer:",
    ...indent([
      `source: ${formatString(source)}`,
      ...listed,
      ...(padToMultipleOf === undefined ? [] : [`pad_to_multiple_of: ${padToMultipleOf}`]),
    ]),
  ];
}

function formatDocument(recipe: Recipe): Lines {
  const { base, modules, tokenizer, chatTemplate } = recipe;
  return [
    `merge_method: ${formatString(recipe.method)}`,
    ...(base === undefined ? [] : [`base_model: ${formatString(base)}`]),
    ...(tokenizer ? formatTokenizer(tokenizer) : []),
    ...(chatTemplate === undefined ? [] : [`chat_template: ${formatString(chatTemplate)}`]),
    ...(modules ? ["modules:", ...indent(modules.flatMap(formatModule))] : formatInputs(recipe)),
    ...formatSettings(recipe.parameters),
    ...(recipe.dtype === undefined ? [] : [`dtype: ${recipe.dtype}`]),
    ...(recipe.outDtype === undefined ? [] : [`out_dtype: ${recipe.outDtype}`]),
    ...(recipe.allowArchitectureMismatch ? ["allow_architecture_mismatch: true"] : []),
    ...(recipe.copyCode ? ["copy_code: true"] : []),
    ...(recipe.fillNanRows ? ["fill_nan_rows: true"] : []),
    ...(recipe.extraTensors ? formatSetting("extra_tensors", recipe.extraTensors) : []),
  ];
}

/**
 * The recipe as mergekit's YAML, which PyYAML and `parseRecipe` read as the same recipe: YAML 1.1,
 * one line a value, floats as 1.0e-05. Stages come first, each a document with its name.
 */
export function formatRecipe(recipe: Recipe): string {
  const stages = (recipe.stages ?? []).flatMap((stage) => [
    `name: ${formatString(stage.name)}`,
    ...formatDocument(stage.recipe),
    "---",
  ]);
  return `${[...stages, ...formatDocument(recipe)].join("\n")}\n`;
}
