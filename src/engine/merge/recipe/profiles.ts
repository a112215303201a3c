import type { JobRequest, Recipe } from "../../contract/index.ts";
import type { MergeMethod } from "../method.ts";
import { methods } from "../registry.ts";

/** Whether a method has two variants: mergekit's and its paper's. */
export function hasProfiles({ params: { profile } }: MergeMethod): boolean {
  return profile?.kind === "choice" && profile.options.includes("paper");
}

/**
 * Recipe with an earlier version's `arithmetic` (task arithmetic) replaced by the profile and dtype
 * of the same meaning.
 */
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

/** Recipe with its profile stated, so that a later default does not change its meaning. */
export function stateProfile(given: Recipe, profile: "mergekit" | "paper" = "mergekit"): Recipe {
  const { stages, ...own } = readArithmetic(given);
  const stated = stages?.map((stage) => ({
    ...stage,
    recipe: stateProfile(stage.recipe, profile),
  }));
  const recipe: Recipe = { ...own, ...(stated && { stages: stated }) };
  const method = methods.get(recipe.method);
  if (!method || !hasProfiles(method) || Object.hasOwn(recipe.parameters, "profile")) return recipe;
  return { ...recipe, parameters: { ...recipe.parameters, profile } };
}

/** Request whose recipe, if it has one, states its profile. */
export function stateProfileOf<Request extends JobRequest>(
  request: Request,
  profile?: "mergekit" | "paper",
): Request {
  if (request.kind !== "merge" && request.kind !== "measure") return request;
  return { ...request, recipe: stateProfile(request.recipe, profile) };
}
