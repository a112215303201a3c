import type { Node } from "yaml";
import type { Conditional, RecipeModel, Setting, Settings } from "../../contract/index.ts";
import type { KeyReader } from "./recipeKeys.ts";
import { readSettings } from "./recipeSettings.ts";
import type { Entry } from "./yamlNodes.ts";

/** Largest number of models in a recipe; a method's own limit is checked in the plan. */
const MODEL_LIMIT = 256;

/** Models and parameters of a recipe, whether listed as `models`, `slices` or `modules`. */
export interface Inputs {
  readonly models: readonly RecipeModel[];
  /** Parameters of the recipe, those of its only module and slice taking precedence. */
  readonly parameters: Settings;
  /** Base that a slice states. */
  readonly base?: string;
  /** Number of layers that a slice takes of each model, from layer 0. */
  readonly layers?: number;
}

interface Given {
  readonly given: (key: string) => Entry | undefined;
  readonly root: Node | null;
  readonly shared: Settings;
}

/** Combines two settings; the first takes precedence where it has a value for a tensor. */
function before(first: Setting, second: Setting | undefined): Setting {
  const conditional = (setting: Setting): setting is readonly Conditional[] =>
    Array.isArray(setting) && setting.some((item) => typeof item === "object");
  if (!conditional(first) || second === undefined) return first;
  if (first.some(({ filter }) => filter === undefined || filter === "*")) return first;
  return [
    ...first,
    ...(conditional(second) ? second : [{ value: second as Conditional["value"] }]),
  ];
}

function overlay(first: Settings, second: Settings): Settings {
  const own = Object.entries(first).map(([name, setting]) => [
    name,
    before(setting, Object.hasOwn(second, name) ? second[name] : undefined),
  ]);
  return { ...second, ...Object.fromEntries(own) };
}

/**
 * Reads `models`, one slice over all layers, or one module with either: all three mean the same for
 * a model of one stack. `bad-recipe` for slices that cut a stack and for several modules.
 */
export function readInputs(keys: KeyReader, { given, root, shared }: Given): Inputs {
  const { yaml } = keys;
  const forms = ["models", "slices", "modules"].flatMap((key) => given(key) ?? []);
  const [form, other] = forms;
  if (!form) return yaml.refuse(root, `the recipe has no "models".`, "models");
  if (other) {
    const sentence = `"${form.key}" and "${other.key}" exclude each other: a recipe states one.`;
    return yaml.refuse(other.keyAt, sentence, other.key);
  }
  if (form.key === "models") return { models: readModels(keys, form), parameters: shared };
  if (form.key === "slices") return readSlices(keys, form, shared);
  const modules = yaml.entries(form.value);
  const [only, more] = modules ?? [];
  if (!only) return yaml.refuse(form.keyAt, `"modules" must name at least one.`, "modules");
  if (more) {
    const sentence = `several "modules" are not supported yet. Merge the whole model by "models".`;
    return yaml.refuse(more.keyAt, sentence, "modules");
  }
  return readModule(keys, only, shared);
}

function readModule(keys: KeyReader, module: Entry, shared: Settings): Inputs {
  const { yaml } = keys;
  const entries = yaml.entries(module.value);
  if (!entries) return yaml.refuse(module.keyAt, `"${module.key}" must hold "models" or "slices".`);
  const known = keys.take(entries, ["models", "slices", "parameters"], `"${module.key}"`);
  const parameters = known.get("parameters");
  if (parameters) keys.place(parameters.value, "");
  const own = parameters ? overlay(readSettings(keys, parameters.value), shared) : shared;
  const given = (key: string) => (key === "modules" ? undefined : known.get(key));
  return readInputs(keys, { given, root: module.keyAt, shared: own });
}

function readList(keys: KeyReader, { key, keyAt, value }: Entry): readonly (Node | null)[] {
  const items = keys.yaml.items(value);
  if (!items || items.length === 0) {
    return keys.yaml.refuse(keyAt, `"${key}" must list at least one model.`, key);
  }
  if (items.length > MODEL_LIMIT) {
    return keys.yaml.refuse(keyAt, `"${key}" lists more than ${MODEL_LIMIT} models.`, key);
  }
  return items;
}

function readModels(keys: KeyReader, list: Entry): readonly RecipeModel[] {
  return readList(keys, list).map((item, i) => {
    return readModel(keys, item, { list: list.key, index: i, known: ["model", "parameters"] })
      .model;
  });
}

interface ModelPlace {
  readonly list: string;
  readonly index: number;
  readonly known: readonly string[];
}

function readModel(keys: KeyReader, at: Node | null, { list, index, known }: ModelPlace) {
  const { yaml } = keys;
  const entries = yaml.entries(at);
  if (!entries) return yaml.refuse(at, `each entry of "${list}" is written "- model: name".`);
  const found = keys.take(entries, known, `an entry of "${list}"`);
  const model = found.get("model");
  if (!model) return yaml.refuse(at, `this entry of "${list}" names no model.`, "model");
  const parameters = found.get("parameters");
  if (parameters) keys.place(parameters.value, `models.${index}.`);
  return {
    model: {
      model: readModelName(keys, model.value),
      parameters: parameters ? readSettings(keys, parameters.value) : {},
    },
    entries: found,
  };
}

/** Name of a model, from a word or from mergekit's mapping of its parts. */
export function readModelName({ yaml }: KeyReader, at: Node | null): string {
  let node = at;
  for (const key of ["model", "path"]) {
    const part = yaml.entries(node)?.find((entry) => entry.key === key);
    if (part) node = part.value;
  }
  const name = yaml.scalar(node)?.text ?? "";
  return name === "" ? yaml.refuse(at, `"model" must be the name of a model.`, "model") : name;
}

function readSlices(keys: KeyReader, list: Entry, shared: Settings): Inputs {
  const { yaml } = keys;
  const [only = null, more] = readList(keys, list);
  if (more !== undefined) {
    const sentence = `several "slices" are not supported yet: one over all layers is, as "models" are.`;
    return yaml.refuse(list.keyAt, sentence, "slices");
  }
  const entries = yaml.entries(only);
  if (!entries) return yaml.refuse(only, `a slice is written "- sources: […]".`, "slices");
  const known = keys.take(entries, ["sources", "base_model", "parameters"], "a slice");
  const sources = known.get("sources");
  if (!sources) return yaml.refuse(only, `this slice has no "sources".`, "sources");
  const ends: number[] = [];
  const models = readList(keys, sources).map((item, index) => {
    const place = { list: "sources", index, known: ["model", "parameters", "layer_range"] };
    const { model, entries: found } = readModel(keys, item, place);
    ends.push(readLayers(keys, item, found.get("layer_range")));
    if (ends[index] !== ends[0]) {
      const sentence = "all sources of a slice must have the same number of layers.";
      yaml.refuse(found.get("layer_range")?.value ?? item, sentence, "layer_range");
    }
    return model;
  });
  const parameters = known.get("parameters");
  if (parameters) keys.place(parameters.value, "");
  const base = known.get("base_model");
  return {
    models,
    parameters: parameters ? overlay(readSettings(keys, parameters.value), shared) : shared,
    layers: ends[0]!,
    ...(base && { base: readModelName(keys, base.value) }),
  };
}

function readLayers({ yaml }: KeyReader, at: Node | null, range: Entry | undefined): number {
  const items = range && yaml.items(range.value);
  const [from, to, more] = (items ?? []).map((item) => yaml.scalar(item)?.value);
  const fine = Number.isSafeInteger(from) && Number.isSafeInteger(to) && more === undefined;
  if (!fine || Number(to) <= Number(from)) {
    const sentence = `"layer_range" must be [first, end), such as [0, 32].`;
    return yaml.refuse(range?.value ?? at, sentence, "layer_range");
  }
  if (from !== 0) {
    const sentence = `a slice that begins at layer ${from} is not supported yet: only one over all layers is.`;
    return yaml.refuse(range?.value ?? at, sentence, "layer_range");
  }
  return Number(to);
}
