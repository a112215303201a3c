import {
  type Conditional,
  EngineError,
  type Level,
  type Recipe,
  type Scalar,
  type Setting,
  type Settings,
} from "../../contract/index.ts";
import type { MergeMethod, Param, Resolved, Value, Values } from "../method.ts";
import { didYouMean } from "./nearest.ts";
import { readNumber, readScalar } from "./scalar.ts";

/** Layer of a tensor within its stack; `layer` is null outside the stack. */
export interface Position {
  readonly layer: number | null;
  readonly layers: number;
}

/**
 * Entries of `recipe.models` that are merged. mergekit's form may list the base among the models;
 * where a method has a base, that entry is not one more model. Where the base alone is listed it
 * stands for a model that did not change, so that the result is the base, as mergekit's.
 */
export function countedModels(method: MergeMethod, recipe: Recipe): readonly number[] {
  const indices = recipe.models.map((_, i) => i);
  if (method.base === "none" || recipe.base === undefined) return indices;
  const others = indices.filter((i) => recipe.models[i]!.model !== recipe.base);
  const { min, max } = method.models;
  const alone = others.length === 0 && method.mergekit && min === 1 && max > 1;
  return alone ? indices : others;
}

/** Value of a gradient at depth t in [0, 1]: linear between evenly spaced values. */
function sampleGradient(values: readonly number[], depth: number): number {
  const place = depth * (values.length - 1);
  const index = Math.trunc(place);
  const fraction = place - index;
  const next = values[Math.min(index + 1, values.length - 1)]!;
  return (1 - fraction) * values[index]! + fraction * next;
}

/** Depth of a layer in [0, 1], as in mergekit: 0 outside the stack, 1 for a stack of one layer. */
function depthOf({ layer, layers }: Position): number {
  if (layer === null) return 0;
  return layers > 1 ? Math.min(1, layer / (layers - 1)) : 1;
}

export const isConditionals = (setting: Setting): setting is readonly Conditional[] =>
  Array.isArray(setting) && setting.some((item) => typeof item === "object" && item !== null);

/** Value of a list of flags or choices at depth t, without interpolation. */
function sampleSteps<T>(values: readonly T[], depth: number): T {
  return values[Math.trunc(depth * (values.length - 1))]!;
}

/** Level of a setting for a tensor; undefined where no filter matches. */
function selectLevel(setting: Setting, tensor: string): Level | readonly string[] | undefined {
  if (!isConditionals(setting)) return setting;
  return setting.find(
    ({ filter }) => filter === undefined || filter === "*" || tensor.includes(filter),
  )?.value;
}

/** Error about a value's kind; the caller adds the parameter, model and tensor. */
export class WrongKind extends Error {}

function toNumber(value: Scalar): number {
  const number =
    typeof value === "string" ? (readNumber(value.trim()) ?? Number.NaN) : Number(value);
  if (!Number.isFinite(number)) throw new WrongKind("a finite number");
  return number;
}

/** Boolean from the words that mergekit's validation accepts, beside those of YAML. */
function toBoolean(value: Scalar): boolean {
  const meant = typeof value === "string" ? readScalar(value.trim().toLowerCase()) : value;
  if (meant === true || meant === 1 || meant === "y" || meant === "t") return true;
  if (meant === false || meant === 0 || meant === "n" || meant === "f") return false;
  throw new WrongKind("true or false");
}

/** Value of a parameter's level at a depth. */
export function evaluate(param: Param, level: Level | readonly string[], depth: number): Value {
  if (param.kind === "patterns") {
    return typeof level === "object" ? level.map(String) : [String(level)];
  }
  if (typeof level === "object") {
    if (param.kind === "choice") throw new WrongKind("one value: it holds for the whole merge");
    if (param.kind === "boolean") return sampleSteps(level.map(toBoolean), depth);
    return sampleGradient(level.map(toNumber), depth);
  }
  switch (param.kind) {
    case "number":
      return toNumber(level);
    case "boolean":
      return toBoolean(level);
    case "choice": {
      const known = [...param.options, ...(param.accepts ?? [])];
      if (known.includes(String(level))) return String(level);
      throw new WrongKind(`one of ${param.options.join(", ")}${didYouMean(String(level), known)}`);
    }
    default:
      return param satisfies never;
  }
}

export function whose(name: string, model: string | null): string {
  return model === null ? `The parameter "${name}"` : `The parameter "${name}" of "${model}"`;
}

export function refuse(
  name: string,
  model: string | null,
  sentence: string,
  tensor?: string,
): never {
  throw new EngineError("bad-recipe", `${whose(name, model)} ${sentence}`, {
    parameter: name,
    ...(model === null ? {} : { model }),
    ...(tensor === undefined ? {} : { tensor }),
  });
}

/** Value of a parameter for a tensor: the first level that is stated for it, else the default. */
function resolveParam(
  name: string,
  param: Param,
  model: { readonly name: string; readonly settings: Settings } | null,
  recipe: Recipe,
  tensor: string,
  depth: number,
): Value {
  for (const settings of model ? [model.settings, recipe.parameters] : [recipe.parameters]) {
    if (!Object.hasOwn(settings, name)) continue;
    const level = selectLevel(settings[name]!, tensor);
    if (level === undefined) continue;
    // An empty list is no value, as in mergekit; a list of patterns may be empty.
    if (Array.isArray(level) && level.length === 0 && param.kind !== "patterns") continue;
    try {
      return evaluate(param, level, depth);
    } catch (error) {
      if (!(error instanceof WrongKind)) throw error;
      refuse(name, model?.name ?? null, `must be ${error.message}.`, tensor);
    }
  }
  if (param.kind === "number" && param.default === null && param.required) {
    const where = tensor === "" ? "" : ` for the tensor "${tensor}"`;
    refuse(name, model?.name ?? null, `is required and has no value${where}.`, tensor);
  }
  return param.default;
}

/**
 * The parameters of one output tensor, after mergekit's rules: the model's own setting before the
 * recipe's before the default, the first matching filter, gradients laid over the layers. A model's
 * own parameters are filtered by the tensor's name in that model, which slices may number otherwise
 * than the result. `bad-recipe` names parameter, model and tensor.
 */
export function resolveSettings(
  method: MergeMethod,
  recipe: Recipe,
  tensor: string,
  position: Position,
  nameIn: (model: number) => string = () => tensor,
): Resolved {
  const depth = depthOf(position);
  const params = Object.entries(method.params);
  const resolveScope = (
    scope: Param["scope"],
    model: { readonly name: string; readonly settings: Settings } | null,
    name: string,
  ): Values =>
    Object.fromEntries(
      params
        .filter(([, param]) => param.scope === scope)
        .map(([key, param]) => [key, resolveParam(key, param, model, recipe, name, depth)]),
    );
  return {
    global: resolveScope("global", null, tensor),
    models: countedModels(method, recipe).map((i) => {
      const { model, parameters } = recipe.models[i]!;
      return resolveScope("model", { name: model, settings: parameters }, nameIn(i));
    }),
  };
}

/**
 * Global parameters of the merge as a whole: entries that depend on the tensor take their value
 * outside the stack, or null.
 */
export function resolveGlobal(method: MergeMethod, recipe: Recipe): Values {
  return Object.fromEntries(
    Object.entries(method.params)
      .filter(([, param]) => param.scope === "global")
      .map(([name, param]) => {
        const optional = param.kind === "number" ? { ...param, required: false } : param;
        return [name, resolveParam(name, optional, null, recipe, "", 0)];
      }),
  );
}
