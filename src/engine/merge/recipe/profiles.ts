import type { JobRequest, Recipe } from "../../contract/index.ts";
import type { MergeMethod } from "../method.ts";
import { methods } from "../registry.ts";

/** True where a method does one thing as mergekit does and another as its paper does. */
export function hasProfiles({ params: { profile } }: MergeMethod): boolean {
  return profile?.kind === "choice" && profile.options.includes("paper");
}

/** The recipe with its profile stated, so that it means the same whatever a later default is. */
export function stateProfile(recipe: Recipe, profile: "mergekit" | "paper" = "mergekit"): Recipe {
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
