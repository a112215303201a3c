import type { Node } from "yaml";
import type {
  LayerRange,
  RecipeInputs,
  RecipeModel,
  RecipeModule,
  RecipeSlice,
  SliceSource,
} from "../../contract/index.ts";
import type { KeyReader } from "./recipeKeys.ts";
import { readSettings } from "./recipeSettings.ts";
import { readScalar } from "./scalar.ts";
import type { Entry } from "./yamlNodes.ts";

/** Largest number of models in one list; a method's own limit is checked in the plan. */
const MODEL_LIMIT = 256;
/** Largest number of slices or modules: more than any model has layers. */
const SLICE_LIMIT = 1000;

/** Entries of a mapping by key; undefined for those without a value. */
export type Given = (key: string) => Entry | undefined;

/** `models`, `slices` or, in a recipe, `modules`: exactly one of them. */
export type StatedInputs = Omit<RecipeInputs, "parameters"> & {
  readonly modules?: readonly RecipeModule[];
};

/**
 * Reads the one of `models`, `slices` and `modules` that a recipe states. `bad-recipe` for none or
 * several, and for what is no list of models.
 */
export function readInputs(keys: KeyReader, given: Given, root: Node | null): StatedInputs {
  const { yaml } = keys;
  const forms = ["models", "slices", "modules"].flatMap((key) => given(key) ?? []);
  const [form, other] = forms;
  if (!form) return yaml.refuse(root, `the recipe has no "models".`, "models");
  if (other) {
    const sentence = `"${form.key}" and "${other.key}" exclude each other: a recipe states one.`;
    return yaml.refuse(other.keyAt, sentence, other.key);
  }
  if (form.key !== "modules") return readStack(keys, form, "");
  const modules = yaml.entries(form.value) ?? [];
  if (modules.length === 0 || modules.length > SLICE_LIMIT) {
    return yaml.refuse(form.keyAt, `"modules" must name at least one.`, "modules");
  }
  return { models: [], modules: modules.map((module) => readModule(keys, module)) };
}

/** `models` or `slices`, whose parameters' lines are recorded behind a prefix. */
function readStack(keys: KeyReader, form: Entry, prefix: string): StatedInputs {
  if (form.key === "models") return { models: readModels(keys, form, `${prefix}models.`) };
  const items = readList(keys, form, SLICE_LIMIT);
  return {
    models: [],
    slices: items.map((item, i) => readSlice(keys, item, `${prefix}slices.${i}.`)),
  };
}

function readModule(keys: KeyReader, { key, keyAt, value }: Entry): RecipeModule {
  const { yaml } = keys;
  const entries = yaml.entries(value);
  if (!entries) return yaml.refuse(keyAt, `"${key}" must hold "models" or "slices".`, key);
  const known = keys.take(entries, ["models", "slices", "parameters"], `"${key}"`);
  const [form, other] = ["models", "slices"].flatMap((each) => known.get(each) ?? []);
  if (!form || other) {
    return yaml.refuse(keyAt, `"${key}" must hold either "models" or "slices".`, key);
  }
  const prefix = `modules.${key}.`;
  const parameters = readParameters(keys, known.get("parameters"), prefix);
  return { name: key, ...readStack(keys, form, prefix), parameters };
}

/** A mapping of parameters, none where it is not stated. */
export function readParameters(keys: KeyReader, entry: Entry | undefined, prefix: string) {
  if (!entry) return {};
  keys.place(entry.value, prefix);
  return readSettings(keys, entry.value);
}

function readList(
  keys: KeyReader,
  { key, keyAt, value }: Entry,
  limit = MODEL_LIMIT,
): readonly (Node | null)[] {
  const items = keys.yaml.items(value);
  if (!items || items.length === 0) {
    return keys.yaml.refuse(keyAt, `"${key}" must list at least one model.`, key);
  }
  if (items.length > limit) {
    return keys.yaml.refuse(
      keyAt,
      `"${key}" lists ${items.length}; at most ${limit} are read.`,
      key,
    );
  }
  return items;
}

function readModels(keys: KeyReader, list: Entry, prefix: string): readonly RecipeModel[] {
  return readList(keys, list).map((item, i) => {
    const place = { list: list.key, prefix: `${prefix}${i}.`, known: ["model", "parameters"] };
    return readModel(keys, item, place).model;
  });
}

interface ModelPlace {
  readonly list: string;
  readonly prefix: string;
  readonly known: readonly string[];
}

function readModel(keys: KeyReader, at: Node | null, { list, prefix, known }: ModelPlace) {
  const { yaml } = keys;
  const entries = yaml.entries(at);
  if (!entries) return yaml.refuse(at, `each entry of "${list}" is written "- model: name".`);
  const found = keys.take(entries, known, `an entry of "${list}"`);
  const model = found.get("model");
  if (!model) return yaml.refuse(at, `this entry of "${list}" names no model.`, "model");
  const parameters = readParameters(keys, found.get("parameters"), prefix);
  return { model: { model: readModelName(keys, model.value), parameters }, entries: found };
}

/**
 * Name of a model, from a word or from mergekit's mapping of its parts: `path`, `path@revision` and
 * either with `+adapter`.
 */
export function readModelName({ yaml }: KeyReader, at: Node | null): string {
  const spell = (node: Node | null): string => {
    const entries = yaml.entries(node);
    if (!entries) return yaml.scalar(node)?.text ?? "";
    const part = (key: string, mark: string) => {
      const word = spell(entries.find((entry) => entry.key === key)?.value ?? null);
      return word === "" ? "" : mark + word;
    };
    return part("model", "") + part("path", "") + part("revision", "@") + part("lora", "+");
  };
  const name = spell(at);
  return name === "" ? yaml.refuse(at, `"model" must be the name of a model.`, "model") : name;
}

function readSlice(keys: KeyReader, at: Node | null, prefix: string): RecipeSlice {
  const { yaml } = keys;
  const entries = yaml.entries(at);
  if (!entries) return yaml.refuse(at, `a slice is written "- sources: […]".`, "slices");
  const known = keys.take(
    entries,
    ["sources", "base_model", "parameters", "residual_weight"],
    "a slice",
  );
  const residual = known.get("residual_weight");
  if (residual) keys.note(residual, `"residual_weight" has no effect: mergekit reads it nowhere.`);
  const sources = known.get("sources");
  if (!sources) return yaml.refuse(at, `this slice has no "sources".`, "sources");
  const list = readList(keys, sources).map((item, i): SliceSource => {
    const place = {
      list: "sources",
      prefix: `${prefix}sources.${i}.`,
      known: ["model", "parameters", "layer_range"],
    };
    const { model, entries: found } = readModel(keys, item, place);
    return { ...model, layers: readLayers(keys, item, found.get("layer_range")) };
  });
  const count = ({ layers: [first, end] }: SliceSource) => end - first;
  const other = list.findIndex((source) => count(source) !== count(list[0]!));
  if (other > 0) {
    const sentence = `all sources of a slice must have the same number of layers: the first has ${count(list[0]!)}, this one ${count(list[other]!)}.`;
    yaml.refuse(yaml.items(sources.value)?.[other] ?? null, sentence, "layer_range");
  }
  const base = known.get("base_model");
  return {
    sources: list,
    ...(base &&
      yaml.scalar(base.value)?.value !== null && { base: readModelName(keys, base.value) }),
    parameters: readParameters(keys, known.get("parameters"), prefix),
  };
}

/** A word as a number of layers: PyYAML's words, or one in quotation marks. */
function readCount({ yaml }: KeyReader, at: Node | null): number {
  const { value, text } = yaml.scalar(at) ?? {};
  const number = typeof value === "string" ? readScalar(text ?? "") : value;
  return typeof number === "number" ? number : Number.NaN;
}

function readLayers(keys: KeyReader, at: Node | null, range: Entry | undefined): LayerRange {
  const items = (range && keys.yaml.items(range.value)) ?? [];
  const [first = Number.NaN, end = Number.NaN] = items.map((item) => readCount(keys, item));
  const fine = items.length === 2 && Number.isSafeInteger(first) && Number.isSafeInteger(end);
  if (!fine || first < 0 || end < first) {
    const sentence = `"layer_range" must be [first, end), such as [0, 32].`;
    return keys.yaml.refuse(range?.value ?? at, sentence, "layer_range");
  }
  return [first, end];
}
