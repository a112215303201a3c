import type { Checkpoint } from "../../engine/checkpoint/checkpoint.ts";
import { openDepths } from "../../engine/checkpoint/tensorRoles/depth.ts";
import type { Recipe } from "../../engine/contract/index.ts";
import { magnitudes, variances } from "../../engine/merge/methods/taskVectors/reference.ts";
import { arithmeticOf } from "../../engine/merge/plan/arithmetic.ts";
import { countedModels, resolveSettings } from "../../engine/merge/recipe/resolve.ts";
import { findMethod } from "../../engine/merge/registry.ts";
import { readValues } from "./mergeInMemory.ts";

/**
 * 1 where a method that keeps a tensor's largest elements may keep one or another of the same score:
 * mergekit's sorting is not stable, so its choice is as good as ours. Undefined where nothing is
 * selected of the tensor.
 */
export async function tiedAtTheCut(
  recipe: Recipe,
  name: string,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): Promise<Float64Array | undefined> {
  const method = findMethod(recipe.method);
  const base = checkpoints.get(recipe.base ?? "");
  const models = countedModels(method, recipe).map((i) => recipe.models[i]!.model);
  const stored = [base, ...models.map((model) => checkpoints.get(model))].map((checkpoint) =>
    checkpoint?.tensors.get(name),
  );
  if (!base || !method.select || stored.some((tensor) => !tensor)) return undefined;
  const settings = resolveSettings(method, recipe, name, openDepths(base)(name));
  const sources = { base: stored[0]!, models: stored.slice(1).map((tensor) => tensor!) };
  const arithmetic = arithmeticOf(method, recipe, settings.global, sources);
  const resolved = { ...settings, arithmetic };
  const selection = method.select(resolved);
  if (!selection) return undefined;
  const [origin, ...values] = await Promise.all(stored.map((tensor) => readValues(tensor!)));
  const scores = selection.shared
    ? [variances({ base: origin!, models: values, resolved })]
    : values.map((model) => magnitudes({ base: origin!, resolved }, model));
  const tied = new Float64Array(origin!.length);
  for (const [m, each] of scores.entries()) {
    const counted = selection.of === "positive" ? each.filter((score) => score > 0) : each;
    const sorted = counted.toSorted((one, other) => other - one);
    for (const kept of selection.counts(counted.length)[m]!) {
      const cut = sorted[kept - 1];
      if (cut === undefined || sorted[kept] !== cut) continue;
      for (const [i, score] of each.entries()) if (score === cut) tied[i] = 1;
    }
  }
  return tied;
}
