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

/** The recipe with one model more. */
export function addModel(recipe: Recipe, name: string, method: MethodCard | undefined): Recipe {
  const grown = { ...recipe, models: [...recipe.models, { model: name, parameters: {} }] };
  return method ? fillRequired(grown, method) : grown;
}

/** The recipe without the model at this place. */
export function removeModel(recipe: Recipe, index: number): Recipe {
  return { ...recipe, models: recipe.models.filter((_, at) => at !== index) };
}

/** The recipe with another base; the old one becomes a model, so that nothing is lost. */
export function chooseBase(recipe: Recipe, index: number): Recipe {
  const chosen = recipe.models[index];
  if (!chosen) return recipe;
  const old: readonly RecipeModel[] =
    recipe.base === undefined ? [] : [{ model: recipe.base, parameters: chosen.parameters }];
  const models = recipe.models.flatMap((model, at) => (at === index ? old : [model]));
  return { ...recipe, base: chosen.model, models };
}

/** The recipe without a base; it becomes a model. */
export function dropBase(recipe: Recipe, method: MethodCard | undefined): Recipe {
  const { base, ...rest } = recipe;
  return base === undefined ? recipe : addModel(rest, base, method);
}

/** The recipe with what becomes of the tensors of one pattern; null leaves it to the studio. */
export function withExtra(recipe: Recipe, filter: string, action: ExtraAction | null): Recipe {
  const { extraTensors = [], ...rest } = recipe;
  const others = extraTensors.filter((entry) => entry.filter !== filter);
  // The first entry that matches holds, so the newest stands before wider ones.
  const entries = action === null ? others : [{ filter, value: action }, ...others];
  return entries.length === 0 ? rest : { ...rest, extraTensors: entries };
}
