import { createStore } from "zustand/vanilla";
import type {
  Finding,
  JobId,
  MethodCard,
  ParamCard,
  ParsedRecipe,
  Recipe,
  Setting,
} from "../../engine/contract/index.ts";

/** Why the text is no recipe, and where; lines and columns count from 1. */
export interface TextProblem {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

export interface RecipeState {
  /** The last valid recipe: what the form shows and a merge would run. */
  readonly recipe: Recipe;
  /** The YAML as it stands in the editor. */
  readonly text: string;
  readonly problem: TextProblem | null;
  /** What the text says without effect; empty where the form wrote it. */
  readonly ignored: readonly Finding[];
  /** On which lines of the text the parameters stand. */
  readonly lines: ParsedRecipe["lines"];
  /** Who wrote last; the engine brings the other side into step. */
  readonly writer: "form" | "text";
  /** Counts edits, so that a late answer to an earlier one is told apart. */
  readonly revision: number;
  /** The tensor that is looked at. */
  readonly tensor: string | null;
  /** The result's name as a person typed it; null takes the suggestion. */
  readonly name: string | null;
  readonly shardBytes: number;
  /** The merge that was started last from here. */
  readonly job: JobId | null;
}

const EMPTY: Recipe = { method: "varm", models: [], parameters: {} };

function startingValue(param: ParamCard, modelCount: number): Setting | null {
  if (param.kind !== "number" || !param.required || param.default !== null) return null;
  if (param.scope === "global") return (param.min + param.max) / 2;
  const even = Math.round(100 / Math.max(1, modelCount)) / 100;
  return Math.min(param.max, Math.max(param.min, even));
}

/** Adds a value where the method demands one and the recipe has none. */
export function fillRequired(recipe: Recipe, method: MethodCard): Recipe {
  const values = method.params.flatMap((param) => {
    const value = startingValue(param, recipe.models.length);
    return value === null ? [] : [{ param, value }];
  });
  const missing = values.filter(({ param }) => recipe.parameters[param.name] === undefined);
  const parameters = { ...recipe.parameters };
  for (const { param, value } of missing) {
    if (param.scope === "global") parameters[param.name] = value;
  }
  const own = missing.filter(({ param }) => param.scope === "model");
  const models = recipe.models.map((model) => ({
    ...model,
    parameters: {
      ...Object.fromEntries(own.map(({ param, value }) => [param.name, value])),
      ...model.parameters,
    },
  }));
  return { ...recipe, models, parameters };
}

/** As `fillRequired`, for a method that was just chosen: with the values that its form starts from. */
export function fillStarts(recipe: Recipe, method: MethodCard): Recipe {
  const filled = fillRequired(recipe, method);
  const isStated = (name: string) =>
    [filled, ...filled.models].some(({ parameters }) => parameters[name] !== undefined);
  const starts = Object.fromEntries(
    method.params.flatMap((param) =>
      param.kind === "number" && param.start !== undefined && !isStated(param.name)
        ? [[param.name, param.start]]
        : [],
    ),
  );
  const models = filled.models.map((model) => ({
    ...model,
    parameters: { ...starts, ...model.parameters },
  }));
  return { ...filled, models };
}

/** The recipe under another method: what both know stays, what only the old one knew goes. */
export function switchMethod(recipe: Recipe, method: MethodCard, base: string | undefined): Recipe {
  const known = new Set(method.params.map(({ name }) => name));
  const keep = (settings: Recipe["parameters"]) =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => known.has(name)));
  const { base: _, ...rest } = recipe;
  const switched = {
    ...rest,
    method: method.id,
    parameters: keep(recipe.parameters),
    models: recipe.models.map((model) => ({ ...model, parameters: keep(model.parameters) })),
    ...(base !== undefined && method.base !== "none" ? { base } : {}),
  };
  return fillStarts(switched, method);
}

/** The merge being composed. Nothing in here runs anything. */
export function createRecipeStore() {
  const store = createStore<RecipeState>(() => ({
    recipe: EMPTY,
    text: "",
    problem: null,
    ignored: [],
    lines: {},
    writer: "form",
    revision: 0,
    tensor: null,
    name: null,
    shardBytes: 5e9,
    job: null,
  }));
  const { setState, getState } = store;
  const current = (revision: number) => revision === getState().revision;
  return {
    ...store,
    /** The form's side: the whole recipe, edited. */
    edit(recipe: Recipe) {
      const revision = getState().revision + 1;
      setState({ recipe, writer: "form", problem: null, ignored: [], lines: {}, revision });
    },
    /** A new merge: nothing of the last one is kept. */
    compose(recipe: Recipe) {
      const revision = getState().revision + 1;
      const fresh = { tensor: null, name: null, job: null, problem: null, ignored: [], lines: {} };
      setState({ ...fresh, recipe, writer: "form", revision });
    },
    /** The editor's side: text that may or may not be a recipe. */
    type(text: string) {
      setState({ text, writer: "text", revision: getState().revision + 1 });
    },
    /** The engine's answer to `edit`. Says nothing when it comes too late. */
    writeText(revision: number, text: string) {
      if (current(revision)) setState({ text, problem: null });
    },
    /** The engine's answer to `type`: a recipe. */
    accept(revision: number, { recipe, findings, lines }: ParsedRecipe) {
      if (current(revision)) setState({ recipe, ignored: findings, lines, problem: null });
    },
    /** The engine's answer to `type`: no recipe. The form keeps the last valid one. */
    refuse(revision: number, problem: TextProblem) {
      if (current(revision)) setState({ problem });
    },
    look(tensor: string | null) {
      setState({ tensor });
    },
    nameResult(name: string | null) {
      setState({ name });
    },
    chooseShard(shardBytes: number) {
      setState({ shardBytes });
    },
    follow(job: JobId | null) {
      setState({ job });
    },
  };
}

export type RecipeStore = ReturnType<typeof createRecipeStore>;
