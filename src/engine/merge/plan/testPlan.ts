import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { namedModels } from "../../contract/index.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { findMethod } from "../registry.ts";
import type { Plan } from "./outputTensor.ts";
import { type PlanRequest, planMerge } from "./plan.ts";

/** Plans a recipe whose models are looked up by their names, for tests. */
export function plan(
  text: string,
  checkpoints: readonly Checkpoint[],
  more: Partial<PlanRequest> = {},
): Plan {
  const recipe = parseRecipe(text).recipe;
  const find = (name: string) => checkpoints.find((checkpoint) => checkpoint.name === name)!;
  return planMerge({
    method: findMethod(recipe.method),
    recipe,
    checkpoints: new Map(namedModels(recipe).map((name) => [name, find(name)])),
    shardBytes: 5e9,
    budget: { tileBytes: 2 ** 20, slots: 3 },
    ...more,
  });
}

/** Severity and code of every finding. */
export const codes = ({ card }: Plan): readonly string[] =>
  card.findings.map(({ severity, code }) => `${severity} ${code}`);
