import {
  type Conditional,
  keysOfList,
  modelKeys,
  type Recipe,
  type RecipeModel,
  type Setting,
} from "../../engine/contract/index.ts";
import { mapLists } from "./recipeLists.ts";

function isConditionals(setting: Setting | undefined): setting is readonly Conditional[] {
  return Array.isArray(setting) && setting.some((entry) => typeof entry === "object");
}

function withParameter(model: RecipeModel, name: string, setting: Setting | null): RecipeModel {
  const { [name]: _, ...others } = model.parameters;
  return { ...model, parameters: setting === null ? others : { ...others, [name]: setting } };
}

/** Setting for all other tensors: the model's own, else the recipe's, else none. */
function restOf(recipe: Recipe, model: RecipeModel, name: string): readonly Conditional[] {
  const own = model.parameters[name];
  const shared = recipe.parameters[name];
  if (isConditionals(own)) return own;
  if (own !== undefined) return [{ value: own as Conditional["value"] }];
  if (isConditionals(shared)) return shared;
  return shared === undefined ? [] : [{ value: shared as Conditional["value"] }];
}

/**
 * Recipe with one tensor's shares stated by hand: each model gets an entry `{filter: tensor,
 * value}` in the method's override parameter. Filters are substrings and the first match counts, so
 * the entry comes after longer names that contain this one, and before all others.
 */
export function overrideShares(
  recipe: Recipe,
  name: string,
  tensor: string,
  shares: readonly number[],
): Recipe {
  const keys = modelKeys(recipe);
  const overridden = (model: RecipeModel, key: string) => {
    const share = shares[keys.indexOf(key)];
    if (share === undefined) return model;
    const rest = restOf(recipe, model, name).filter(({ filter }) => filter !== tensor);
    const longer = rest.filter(({ filter }) => filter?.includes(tensor));
    const others = rest.filter(({ filter }) => !filter?.includes(tensor));
    return withParameter(model, name, [...longer, { filter: tensor, value: share }, ...others]);
  };
  return mapLists(recipe, (models) => {
    const own = keysOfList(models);
    return models.map((model, i) => overridden(model, own[i]!));
  });
}

/** Recipe without the shares that `overrideShares` stated for a tensor. */
export function releaseShares(recipe: Recipe, name: string, tensor: string): Recipe {
  const released = (model: RecipeModel) => {
    const setting = model.parameters[name];
    if (!isConditionals(setting)) return model;
    const rest = setting.filter(({ filter }) => filter !== tensor);
    const [only] = rest;
    if (only === undefined) return withParameter(model, name, null);
    return withParameter(
      model,
      name,
      rest.length === 1 && only.filter === undefined ? only.value : rest,
    );
  };
  return mapLists(recipe, (models) => models.map(released));
}

/** Shares after one was changed; the others change in proportion, so that the sum stays. */
export function moveShare(
  shares: readonly number[],
  index: number,
  share: number,
): readonly number[] {
  const total = shares.reduce((sum, value) => sum + value, 0);
  const others = total - (shares[index] ?? 0);
  const left = total - share;
  const count = shares.length - 1;
  return shares.map((value, at) => {
    if (at === index) return share;
    return Math.abs(others) < 1e-12 ? left / count : (value / others) * left;
  });
}
