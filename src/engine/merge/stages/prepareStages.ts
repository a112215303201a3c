import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { applyAdapter } from "../../checkpoint/views/adapter.ts";
import type { Finding, MergePlan, ParsedRecipe, Recipe } from "../../contract/index.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { type PrepareOptions, prepareMerge } from "../plan/prepare.ts";
import { adaptersOf, modelOf } from "../recipe/stages.ts";
import { plannedCheckpoint } from "./plannedCheckpoint.ts";

/** The plan of a stage. */
export interface StagePlan {
  readonly name: string;
  readonly plan: Plan;
}

/** The plans of a recipe with stages: nothing of them is made yet. */
export interface StagedPlan {
  readonly stages: readonly StagePlan[];
  /** Of the recipe itself, over the results of its stages as they will be. */
  readonly plan: Plan;
  /** The plan of all of it, for people. */
  readonly card: MergePlan;
}

/** Lines of one stage's parameters, by their keys in that stage. */
function linesOf(lines: ParsedRecipe["lines"], prefix: string): ParsedRecipe["lines"] {
  const own = Object.entries(lines).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, line]) => [key.slice(prefix.length), line]));
}

function sayStage(name: string, finding: Finding): Finding {
  return { ...finding, message: `Stage "${name}": ${finding.message}` };
}

/** The cost of all merges, and what was found about any of them. */
function sumUp(stages: readonly StagePlan[], { card }: Plan): MergePlan {
  if (stages.length === 0) return card;
  const all = [...stages.map(({ plan }) => plan.card), card];
  const sum = (of: (plan: MergePlan) => number) => all.reduce((total, each) => total + of(each), 0);
  const most = (of: (plan: MergePlan) => number) => Math.max(...all.map(of));
  const said = stages.flatMap(({ name, plan }) =>
    plan.card.findings
      .filter(({ severity }) => severity !== "note")
      .map((finding) => sayStage(name, finding)),
  );
  return {
    ...card,
    findings: [...said, ...card.findings],
    runnable: all.every(({ runnable }) => runnable),
    readBytes: sum(({ readBytes }) => readBytes),
    writeBytes: sum(({ writeBytes }) => writeBytes),
    passes: most(({ passes }) => passes),
    peakGpuBytes: most(({ peakGpuBytes }) => peakGpuBytes),
    seconds: all.some(({ seconds }) => seconds === null)
      ? null
      : sum(({ seconds }) => seconds ?? 0),
    stages: stages.map(({ name, plan }) => ({ name, plan: plan.card })),
  };
}

/** Plans a recipe and the merges that come before it, without reading or making any weight. */
export async function prepareStages(recipe: Recipe, options: PrepareOptions): Promise<StagedPlan> {
  const { lines = {} } = options;
  const made = new Map<string, Checkpoint>();
  const open = async (model: string) => {
    let checkpoint = made.get(model) ?? made.get(modelOf(model));
    if (!checkpoint || made.has(model)) return checkpoint ?? options.open(model);
    for (const adapter of adaptersOf(model)) {
      checkpoint = await applyAdapter(checkpoint, await options.open(adapter));
    }
    return checkpoint;
  };
  const stages: StagePlan[] = [];
  for (const [i, { name, recipe: own }] of (recipe.stages ?? []).entries()) {
    const plan = await prepareMerge(own, {
      ...options,
      open,
      lines: linesOf(lines, `stages.${i}.`),
    });
    stages.push({ name, plan });
    made.set(name, await plannedCheckpoint(plan, name));
  }
  const plan = await prepareMerge(recipe, { ...options, open, lines });
  return { stages, plan, card: sumUp(stages, plan) };
}
