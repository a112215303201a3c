import type { Node } from "yaml";
import type { FloatName, ParsedRecipe, Recipe } from "../../contract/index.ts";
import { BUILT_IN_TEMPLATES, isChatTemplate } from "../../text/templates/builtIn.ts";
import { methods } from "../registry.ts";
import { didYouMean } from "./nearest.ts";
import { OWN_KEYS, readOwnKeys } from "./ownKeys.ts";
import { type Given, readInputs, readModelName, readParameters } from "./recipeInputs.ts";
import { createKeyReader, type KeyReader } from "./recipeKeys.ts";
import { readTokenizer } from "./recipeTokenizer.ts";
import { findMissingBase, hasSlices, sectionsOf } from "./sections.ts";
import type { Entry, YamlText } from "./yamlNodes.ts";

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

function readChatTemplate({ yaml }: KeyReader, entry: Entry | undefined): string | undefined {
  const stated = entry && yaml.scalar(entry.value)?.text;
  if (entry && (stated === undefined || !isChatTemplate(stated))) {
    const names = Object.keys(BUILT_IN_TEMPLATES).join(", ");
    const sentence = `"chat_template" must be auto, one of ${names}, or a template in Jinja.`;
    yaml.refuse(entry.value, sentence, "chat_template");
  }
  return stated;
}

/** Refuses slices that lack the base, at their place in the text. */
function requireBases(keys: KeyReader, recipe: Recipe, given: Given): void {
  const method = methods.get(recipe.method);
  if (!method || !hasSlices(recipe)) return;
  for (const section of sectionsOf(recipe)) {
    const missing = findMissingBase(method, section);
    if (missing !== null) keys.yaml.refuse(given("merge_method")!.value, missing, "slices");
  }
}

/** One document of a recipe's text. */
export interface RecipeDocument extends ParsedRecipe {
  readonly yaml: YamlText;
  /** Its `name`; null where it has none, or stands alone. */
  readonly name: string | null;
  /** Where its name stands, or else its method. */
  readonly at: Node;
}

/**
 * Reads one document as mergekit 0.1.5 does. One among several may have a `name`, by which others
 * name its result. `bad-recipe` with line, column and key for what the studio cannot follow.
 */
export function readDocument(yaml: YamlText, among: "one" | "several"): RecipeDocument {
  const entries = yaml.entries(yaml.root);
  if (!entries) {
    return yaml.refuse(yaml.root, `a recipe starts with "merge_method:" and "models:".`);
  }
  const keys = createKeyReader(yaml);
  const known = keys.take(entries, among === "several" ? [...KEYS, "name"] : KEYS, "");
  const given = (key: string): Entry | undefined => {
    const entry = known.get(key);
    return entry && yaml.scalar(entry.value)?.value !== null ? entry : undefined;
  };
  const nameOf = ({ key, value }: Entry): string => {
    const word = yaml.scalar(value)?.text ?? "";
    return word === "" ? yaml.refuse(value, `"${key}" must be a name.`, key) : word;
  };

  const method = given("merge_method");
  if (!method) return yaml.refuse(yaml.root, `the recipe has no "merge_method".`, "merge_method");
  const base = given("base_model");
  const inputs = readInputs(keys, given, yaml.root);
  const dtype = given("dtype");
  const outDtype = given("out_dtype");
  const dtypeName = dtype && readDtype(yaml, dtype);
  const outDtypeName = outDtype && readDtype(yaml, outDtype);
  const tokenizer = readTokenizer(keys, given);
  const chatTemplate = readChatTemplate(keys, given("chat_template"));
  const recipe: Recipe = {
    method: nameOf(method),
    ...(base && { base: readModelName(keys, base.value) }),
    ...inputs,
    parameters: readParameters(keys, given("parameters"), ""),
    ...(dtypeName && { dtype: dtypeName }),
    ...(outDtypeName && { outDtype: outDtypeName }),
    ...(tokenizer && { tokenizer }),
    ...(chatTemplate !== undefined && { chatTemplate }),
    ...readOwnKeys(keys, given),
  };
  requireBases(keys, recipe, given);
  const name = among === "several" ? given("name") : undefined;
  const { findings, lines } = keys;
  return {
    yaml,
    name: name ? nameOf(name) : null,
    at: (name ?? method).keyAt,
    recipe,
    findings,
    lines,
  };
}
