import type {
  Finding,
  Level,
  Recipe,
  RecipeInputs,
  RecipeModel,
  Setting,
  Settings,
} from "../../contract/index.ts";
import type { MergeMethod, Param } from "../method.ts";
import { didYouMean } from "./nearest.ts";
import { countedModels, evaluate, isConditionals, refuse, WrongKind, whose } from "./resolve.ts";

/** Parameters that mergekit registers for a method and then never reads, by method. */
const WITHOUT_EFFECT: Readonly<Record<string, readonly string[]>> = {
  task_arithmetic: ["int8_mask", "rescale", "density"],
  ties: ["int8_mask"],
  dare_linear: ["int8_mask"],
  dare_ties: ["int8_mask"],
  breadcrumbs: ["int8_mask"],
  breadcrumbs_ties: ["int8_mask"],
  della: ["int8_mask"],
  della_linear: ["int8_mask"],
  sce: ["int8_mask"],
};
/** Keys that are written among the parameters by mistake. */
const TOP_KEYS = ["dtype", "out_dtype", "base_model", "merge_method", "tokenizer_source"];

/** Every level that a setting has. */
function levelsOf(setting: Setting): readonly (Level | readonly string[])[] {
  return isConditionals(setting) ? setting.map(({ value }) => value) : [setting];
}

function checkParam(name: string, param: Param, setting: Setting, model: string | null): void {
  if (isConditionals(setting) && (param.kind === "choice" || param.kind === "patterns")) {
    refuse(name, model, "holds for the whole merge; it cannot have filters.");
  }
  for (const level of levelsOf(setting)) {
    if (Array.isArray(level) && level.length === 0) continue; // no value, so the next one counts
    try {
      evaluate(param, level, 0);
    } catch (error) {
      if (!(error instanceof WrongKind)) throw error;
      refuse(name, model, `must be ${error.message}.`);
    }
  }
}

/** A setting of the recipe as a whole, or of one model. */
interface Stated {
  readonly name: string;
  readonly setting: Setting;
  /** Model that the setting belongs to; null for the recipe's own. */
  readonly model: string | null;
  /** Whether the model is merged: false for a base that is listed among the models. */
  readonly merged: boolean;
}

/**
 * Reason why a setting has no effect, or null. Throws for a name that the method does not have
 * where mergekit does not have the method either.
 */
function findIdle(method: MergeMethod, { name, setting, model, merged }: Stated): string | null {
  const { id, params } = method;
  const known = Object.keys(params);
  const param = Object.hasOwn(params, name) ? params[name] : undefined;
  if (!param) {
    const hint = TOP_KEYS.includes(name)
      ? ` It stands at the top of a recipe, not under "parameters".`
      : didYouMean(name, known);
    if (WITHOUT_EFFECT[id]?.includes(name)) return `"${id}" does not use it`;
    if (method.mergekit) return `mergekit ignores it for the method "${id}".${hint}`;
    const list = known.length > 0 ? `; it has ${known.join(", ")}` : "";
    refuse(name, model, `is unknown to the method "${id}"${list}.${hint}`);
  }
  if (model !== null && param.scope === "global") {
    const elsewhere = `state it under the recipe's own "parameters"`;
    if (method.mergekit) return `mergekit ignores it there; ${elsewhere}`;
    refuse(name, model, `is not per model; ${elsewhere}.`);
  }
  checkParam(name, param, setting, model);
  return merged ? null : "the base is not weighed";
}

/** Every setting of a recipe, with the prefix of its key in `ParsedRecipe.lines`. */
function* listSettings(
  method: MergeMethod,
  recipe: Recipe,
): Generator<Stated & { readonly key: string }, void, undefined> {
  function* own(settings: Settings, prefix: string, model: string | null = null, merged = true) {
    for (const [name, setting] of Object.entries(settings)) {
      yield { name, setting, model, merged, key: prefix + name };
    }
  }
  function* ofModels(models: readonly RecipeModel[], base: string | undefined, prefix: string) {
    const counted = new Set(countedModels(method, { ...recipe, ...(base && { base }), models }));
    for (const [i, { model, parameters }] of models.entries()) {
      yield* own(parameters, `${prefix}${i}.`, model, counted.has(i));
    }
  }
  function* ofInputs({ models, slices = [], parameters }: RecipeInputs, prefix: string) {
    yield* own(parameters, prefix);
    yield* ofModels(models, recipe.base, `${prefix}models.`);
    for (const [i, slice] of slices.entries()) {
      yield* own(slice.parameters, `${prefix}slices.${i}.`);
      yield* ofModels(slice.sources, slice.base ?? recipe.base, `${prefix}slices.${i}.sources.`);
    }
  }
  yield* ofInputs(recipe, "");
  for (const module of recipe.modules ?? []) yield* ofInputs(module, `modules.${module.name}.`);
}

/**
 * Checks a recipe's parameters against the method's: `bad-recipe` for wrong kinds and unknown
 * choices, and for unknown names where mergekit does not have the method. Returns findings for
 * legal settings without effect, with line numbers where the recipe's text is known
 * (`ParsedRecipe.lines`).
 */
export function checkSettings(
  method: MergeMethod,
  recipe: Recipe,
  lines: Readonly<Record<string, number>> = {},
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { key, ...stated } of listSettings(method, recipe)) {
    const { name, model } = stated;
    const why = findIdle(method, stated);
    if (why === null) continue;
    const line = lines[key];
    findings.push({
      severity: "warning",
      code: "bad-recipe",
      message: `${whose(name, model)} has no effect: ${why}${why.endsWith(".") || why.endsWith("?") ? "" : "."}`,
      ...(model === null ? {} : { model }),
      ...(line === undefined ? {} : { line }),
    });
  }
  return findings;
}
