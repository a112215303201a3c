import type {
  ExtraAction,
  FloatName,
  MethodCard,
  ParamCard,
  Recipe,
  RecipeModel,
  Setting,
  Settings,
} from "../../../engine/contract/index.ts";
import { mapLists, onlyList } from "../../stores/recipeLists.ts";
import { fillRequired } from "../../stores/recipeStore.ts";

/** Settings with one changed, or without it where there is no value. */
export function withSetting(
  settings: Settings,
  name: string,
  value: Setting | undefined,
): Settings {
  const { [name]: _, ...others } = settings;
  return value === undefined ? others : { ...settings, [name]: value };
}

const AS_STORED = "as stored";

/** What is written, as a field beside the method's own. */
export const OUTPUT_FIELD: ParamCard = {
  kind: "choice",
  name: "out_dtype",
  label: "Output",
  help: "The dtype of the result. What is computed in is the method's to say.",
  scope: "global",
  required: false,
  options: [AS_STORED, "float32", "bfloat16", "float16"],
  default: AS_STORED,
};

/** The recipe with another output dtype; undefined leaves it to the models. */
export function withOutput(recipe: Recipe, value: Setting | undefined): Recipe {
  const { dtype: _, outDtype: __, ...rest } = recipe;
  return value === undefined ? rest : { ...rest, outDtype: value as FloatName };
}

const BY_ID = "as stored";

/** The vocabulary of the result, as a field; models are further options. */
export const VOCABULARY_FIELD = {
  kind: "choice",
  name: "tokenizer_source",
  label: "Vocabulary",
  help: "The tokens of the result: all models’ together, the base’s or a model’s, each row merged with the rows of its own token. As stored: rows are merged id by id.",
  scope: "global",
  required: false,
  options: [BY_ID, "union", "base"],
  default: BY_ID,
} as const satisfies ParamCard;

/** The recipe with the vocabulary of another source; single tokens and padding stay. */
export function withVocabulary(recipe: Recipe, source: Setting | undefined): Recipe {
  const { tokenizer, ...rest } = recipe;
  if (source !== undefined) return { ...rest, tokenizer: { ...tokenizer, source: String(source) } };
  const { chatTemplate: _, ...plain } = rest; // without a tokenizer it has no effect
  return plain;
}

/** The recipe with one model more. */
export function addModel(recipe: Recipe, name: string, method: MethodCard | undefined): Recipe {
  const grown = mapLists(recipe, (models) => [...models, { model: name, parameters: {} }]);
  return method ? fillRequired(grown, method) : grown;
}

/** The recipe with other parameters of one model, by its list and its place there. */
export function withParameters(
  recipe: Recipe,
  [list, index]: readonly [number, number],
  parameters: Settings,
): Recipe {
  let at = -1;
  return mapLists(recipe, (models) => {
    at++;
    if (at !== list) return models;
    return models.map((model, i) => (i === index ? { ...model, parameters } : model));
  });
}

/** The recipe without the model at this place. */
export function removeModel(recipe: Recipe, index: number): Recipe {
  return mapLists(recipe, (models) => models.filter((_, at) => at !== index));
}

/** The recipe with another base; the old one becomes a model, so that nothing is lost. */
export function chooseBase(recipe: Recipe, index: number): Recipe {
  const chosen = onlyList(recipe)?.[index];
  if (!chosen) return recipe;
  // The base of a slice is one of its sources.
  if (recipe.models.length === 0) return { ...recipe, base: chosen.model };
  const old: readonly RecipeModel[] =
    recipe.base === undefined ? [] : [{ model: recipe.base, parameters: chosen.parameters }];
  const changed = mapLists(recipe, (models) =>
    models.flatMap((model, at) => (at === index ? old : [model])),
  );
  return { ...changed, base: chosen.model };
}

/** The recipe without a base; it becomes a model. */
export function dropBase(recipe: Recipe, method: MethodCard | undefined): Recipe {
  const { base, ...rest } = recipe;
  if (base === undefined) return recipe;
  return recipe.models.length === 0 ? rest : addModel(rest, base, method);
}

/** The recipe with what becomes of the tensors of one pattern; null leaves it to the studio. */
export function withExtra(recipe: Recipe, filter: string, action: ExtraAction | null): Recipe {
  const { extraTensors = [], ...rest } = recipe;
  const others = extraTensors.filter((entry) => entry.filter !== filter);
  // The first entry that matches holds, so the newest stands before wider ones.
  const entries = action === null ? others : [{ filter, value: action }, ...others];
  return entries.length === 0 ? rest : { ...rest, extraTensors: entries };
}
