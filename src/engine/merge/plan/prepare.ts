import { requireModel } from "../../checkpoint/adapters/adapter.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { EngineError, namedModels, type ParsedRecipe, type Recipe } from "../../contract/index.ts";
import { DEFAULT_BUDGET_BYTES } from "../../gpu/device.ts";
import { TILE_SLOTS } from "../../gpu/tiles/tiling.ts";
import { findMethod } from "../registry.ts";
import { planVocabulary } from "../vocabulary/planVocabulary.ts";
import { readDetails } from "./details.ts";
import type { Plan } from "./outputTensor.ts";
import { type PlanRequest, planMerge } from "./plan.ts";

/** WebGPU's default limit for one binding: what every device has. */
const DEFAULT_BINDING_BYTES = 128 * 2 ** 20;

export interface PrepareOptions {
  /** The checkpoint that a recipe's string names; the same object for the same string. */
  open(model: string): Promise<Checkpoint>;
  readonly shardBytes: number;
  readonly budgetBytes?: number;
  readonly bytesPerSecond?: number | null;
  /** `ParsedRecipe.lines`, where the recipe was read from a text. */
  readonly lines?: ParsedRecipe["lines"] | undefined;
  /** What the weights themselves say about the models, beyond their headers. */
  examine?(checkpoints: readonly Checkpoint[]): Promise<PlanRequest["findings"]>;
}

/** Opens what a recipe names and plans it. Reads headers; no weight unless `examine` does. */
export async function prepareMerge(recipe: Recipe, options: PrepareOptions): Promise<Plan> {
  const method = findMethod(recipe.method);
  const byName = new Map<string, Checkpoint>();
  for (const name of namedModels(recipe)) byName.set(name, await options.open(name));
  const budgetBytes = options.budgetBytes ?? DEFAULT_BUDGET_BYTES;
  const tileBytes = Math.min(DEFAULT_BINDING_BYTES, Math.floor(budgetBytes / TILE_SLOTS));
  const checkpoints = [...byName.values()];
  for (const checkpoint of checkpoints) requireModel(checkpoint);
  const examined = (await options.examine?.(checkpoints)) ?? [];
  const vocabulary = await planVocabulary(recipe, byName, options.open);
  return planMerge({
    method,
    recipe,
    checkpoints: byName,
    shardBytes: options.shardBytes,
    budget: { tileBytes, slots: TILE_SLOTS, totalBytes: budgetBytes },
    bytesPerSecond: options.bytesPerSecond ?? null,
    lines: options.lines,
    details: await readDetails(checkpoints),
    vocabulary,
    findings: [...vocabulary.findings, ...examined],
  });
}

/** Throws the first finding that forbids the merge; says how many more there are. */
export function requireRunnable({ card }: Pick<Plan, "card">): void {
  const errors = card.findings.filter(({ severity }) => severity === "error");
  const first = errors[0];
  if (!first) return;
  const more = errors.length > 1 ? ` (${errors.length - 1} more of these.)` : "";
  throw new EngineError(first.code === "info" ? "mismatch" : first.code, first.message + more, {
    ...(first.tensor === undefined ? {} : { tensor: first.tensor }),
    ...(first.model === undefined ? {} : { model: first.model }),
    errors: errors.length,
  });
}
