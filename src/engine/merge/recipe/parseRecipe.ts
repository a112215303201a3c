import type { Node } from "yaml";
import type { FloatName, ParsedRecipe } from "../../contract/index.ts";
import { methods } from "../registry.ts";
import { didYouMean } from "./nearest.ts";
import { OWN_KEYS, readOwnKeys } from "./ownKeys.ts";
import { type Inputs, readInputs, readModelName } from "./recipeInputs.ts";
import { createKeyReader, type KeyReader } from "./recipeKeys.ts";
import { readSettings } from "./recipeSettings.ts";
import { readTokenizer } from "./recipeTokenizer.ts";
import { type Entry, readYaml, type YamlText } from "./yamlNodes.ts";

/** Top-level keys that mergekit 0.1.5 reads, and those of the studio; others are ignored. */
const KEYS = [
  "merge_method",
  "models",
  "slices",
  "modules",
  "base_model",
  "parameters",
  "dtype",
  "out_dtype",
  "tokenizer",
  "tokenizer_source",
  "chat_template",
  ...OWN_KEYS,
];
const DTYPES: readonly FloatName[] = ["float32", "float16", "bfloat16"];

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

/** The chat template's key; mergekit writes one only together with a tokenizer. */
function readChatTemplate(keys: KeyReader, entry: Entry | undefined, tokenizer: boolean): void {
  if (!entry) return;
  const written = keys.yaml.scalar(entry.value)?.text ?? "";
  if (!tokenizer) {
    keys.note(entry, `"chat_template" has no effect without "tokenizer" or "tokenizer_source".`);
  } else if (written !== "auto") {
    keys.note(
      entry,
      `"chat_template" is not written yet: the result keeps the template of the model that gives its tokenizer.`,
    );
  }
}

/** Refuses slices that lack the base: with slices, mergekit does not add the base by itself. */
function requireListed(keys: KeyReader, method: Entry, { models }: Inputs, base?: string): void {
  const needed = methods.get(keys.yaml.scalar(method.value)?.text ?? "")?.base === "required";
  if (!needed || base === undefined || models.some(({ model }) => model === base)) return;
  keys.yaml.refuse(
    method.value,
    `the base "${base}" is not among the sources of the slice, which mergekit refuses: add it as a source with the same "layer_range", or list "models" in place of "slices".`,
    "slices",
  );
}

/**
 * Parses a recipe in mergekit's YAML as mergekit 0.1.5 does: YAML 1.1; keys that it ignores are
 * ignored with a finding. `bad-recipe` with line, column and key for what the studio cannot follow.
 */
export function parseRecipe(text: string): ParsedRecipe {
  const yaml = readYaml(text);
  const entries = yaml.entries(yaml.root);
  if (!entries) {
    return yaml.refuse(yaml.root, `a recipe starts with "merge_method:" and "models:".`);
  }
  const keys = createKeyReader(yaml);
  const known = keys.take(entries, KEYS, "");
  const given = (key: string): Entry | undefined => {
    const entry = known.get(key);
    return entry && yaml.scalar(entry.value)?.value !== null ? entry : undefined;
  };
  const name = (key: string, at: Node | null): string => {
    const word = yaml.scalar(at)?.text ?? "";
    return word === "" ? yaml.refuse(at, `"${key}" must be a name.`, key) : word;
  };

  const method = given("merge_method");
  if (!method) return yaml.refuse(yaml.root, `the recipe has no "merge_method".`, "merge_method");
  const base = given("base_model");
  const parameters = given("parameters");
  const shared = parameters ? readSettings(keys, parameters.value) : {};
  if (parameters) keys.place(parameters.value, "");
  const inputs = readInputs(keys, { given, root: yaml.root, shared });
  const dtype = given("dtype");
  const outDtype = given("out_dtype");
  const dtypeName = dtype && readDtype(yaml, dtype);
  const outDtypeName = outDtype && readDtype(yaml, outDtype);
  const tokenizer = readTokenizer(keys, given);
  readChatTemplate(keys, given("chat_template"), tokenizer !== undefined);
  const baseName = inputs.base ?? (base && readModelName(keys, base.value));
  if (inputs.layers !== undefined) requireListed(keys, method, inputs, baseName);
  return {
    recipe: {
      method: name("merge_method", method.value),
      ...(baseName !== undefined && { base: baseName }),
      models: inputs.models,
      parameters: inputs.parameters,
      ...(inputs.layers !== undefined && { layers: inputs.layers }),
      ...(dtypeName && { dtype: dtypeName }),
      ...(outDtypeName && { outDtype: outDtypeName }),
      ...(tokenizer !== undefined && { tokenizer }),
      ...readOwnKeys(keys, given),
    },
    findings: keys.findings,
    lines: keys.lines,
  };
}
