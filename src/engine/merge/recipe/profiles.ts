import type { JobRequest, Recipe } from "../../contract/index.ts";
import type { MergeMethod } from "../method.ts";
import { methods } from "../registry.ts";

/** True where a method does one thing as mergekit does and another as its paper does. */
export function hasProfiles({ params: { profile } }: MergeMethod): boolean {
  return profile?.kind === "choice" && profile.options.includes("paper");
}

/** Task arithmetic's `arithmetic` of an earlier version, as the profile and dtype that say the same. */
function readArithmetic(recipe: Recipe): Recipe {
  const { arithmetic, ...parameters } = recipe.parameters;
  if (recipe.method !== "task_arithmetic" || arithmetic === undefined) return recipe;
  if (arithmetic !== "bfloat16")
    return { ...recipe, parameters: { ...parameters, profile: "paper" } };
  const outDtype = recipe.outDtype ?? recipe.dtype;
  return {
    ...recipe,
    parameters: { ...parameters, profile: "mergekit" },
    dtype: "bfloat16",
    ...(outDtype ? { outDtype } : {}),
  };
}

/** The recipe with its profile stated, so that it means the same whatever a later default is. */
export function stateProfile(given: Recipe, profile: "mergekit" | "paper" = "mergekit"): Recipe {
  const recipe = readArithmetic(given);
  const method = methods.get(recipe.method);
  if (!method || !hasProfiles(method) || Object.hasOwn(recipe.parameters, "profile")) return recipe;
  return { ...recipe, parameters: { ...recipe.parameters, profile } };
}

/** A request whose recipe, if it has one, states its profile. */
export function stateProfileOf<Request extends JobRequest>(
  request: Request,
  profile?: "mergekit" | "paper",
): Request {
  if (request.kind !== "merge" && request.kind !== "measure") return request;
  return { ...request, recipe: stateProfile(request.recipe, profile) };
}
