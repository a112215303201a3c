import { createStore } from "zustand/vanilla";
import {
  type Finding,
  type JobId,
  type MethodCard,
  type ParamCard,
  type ParsedRecipe,
  type Recipe,
  type Setting,
  sourceLists,
} from "../../engine/contract/index.ts";
import { mapLists, onlyList } from "./recipeLists.ts";

/** Error of a recipe's text; line and column count from 1. */
export interface TextProblem {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

export interface RecipeState {
  /** Last valid recipe, which the form shows and a merge would run. */
  readonly recipe: Recipe;
  /** YAML in the editor. */
  readonly text: string;
  readonly problem: TextProblem | null;
  /** Findings about the text. */
  readonly ignored: readonly Finding[];
  /** Lines of the parameters in the text. */
  readonly lines: ParsedRecipe["lines"];
  /** Side that was edited last; the engine updates the other. */
  readonly writer: "form" | "text";
  /** Number of edits, by which answers to earlier edits are recognised. */
  readonly revision: number;
  /** Selected tensor. */
  readonly tensor: string | null;
  /** Name of the result from the user; null takes the suggestion. */
  readonly name: string | null;
  readonly shardBytes: number;
  /** Whether results of the recipe's stages stay in the library. */
  readonly keepStages: boolean;
  /** Merge that was started last from here. */
  readonly job: JobId | null;
}

const EMPTY: Recipe = { method: "varm", models: [], parameters: {} };

function startingValue(param: ParamCard, modelCount: number): Setting | null {
  if (param.kind !== "number" || !param.required || param.default !== null) return null;
  if (param.scope === "global") return (param.min + param.max) / 2;
  const even = Math.round(100 / Math.max(1, modelCount)) / 100;
  return Math.min(param.max, Math.max(param.min, even));
}

/** Recipe with a value for each required parameter that has none. */
export function fillRequired(recipe: Recipe, method: MethodCard): Recipe {
  const values = method.params.flatMap((param) => {
    const value = startingValue(param, onlyList(recipe)?.length ?? 1);
    return value === null ? [] : [{ param, value }];
  });
  const missing = values.filter(({ param }) => recipe.parameters[param.name] === undefined);
  const parameters = { ...recipe.parameters };
  for (const { param, value } of missing) {
    if (param.scope === "global") parameters[param.name] = value;
  }
  const own = missing.filter(({ param }) => param.scope === "model");
  const starting = Object.fromEntries(own.map(({ param, value }) => [param.name, value]));
  return mapLists({ ...recipe, parameters }, (models) =>
    models.map((model) => ({ ...model, parameters: { ...starting, ...model.parameters } })),
  );
}

/** As `fillRequired`, for a method that was just chosen: with its form's initial values. */
export function fillStarts(recipe: Recipe, method: MethodCard): Recipe {
  const filled = fillRequired(recipe, method);
  const isStated = (name: string) =>
    [filled, ...sourceLists(filled).flat()].some(
      ({ parameters }) => parameters[name] !== undefined,
    );
  const starts = Object.fromEntries(
    method.params.flatMap((param) =>
      param.kind === "number" && param.start !== undefined && !isStated(param.name)
        ? [[param.name, param.start]]
        : [],
    ),
  );
  return mapLists(filled, (models) =>
    models.map((model) => ({ ...model, parameters: { ...starts, ...model.parameters } })),
  );
}

/** Recipe with another method: parameters that both have stay, the others go. */
export function switchMethod(recipe: Recipe, method: MethodCard, base: string | undefined): Recipe {
  const known = new Set(method.params.map(({ name }) => name));
  const keep = (settings: Recipe["parameters"]) =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => known.has(name)));
  const { base: _, ...rest } = recipe;
  const switched = {
    ...mapLists({ ...rest, method: method.id, parameters: keep(recipe.parameters) }, (models) =>
      models.map((model) => ({ ...model, parameters: keep(model.parameters) })),
    ),
    ...(base !== undefined && method.base !== "none" ? { base } : {}),
  };
  return fillStarts(switched, method);
}

/** Store of the merge being composed. It runs nothing. */
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
    keepStages: false,
    job: null,
  }));
  const { setState, getState } = store;
  const current = (revision: number) => revision === getState().revision;
  return {
    ...store,
    /** Sets the whole recipe, edited in the form. */
    edit(recipe: Recipe) {
      const revision = getState().revision + 1;
      setState({ recipe, writer: "form", problem: null, ignored: [], lines: {}, revision });
    },
    /** Starts a new merge, and drops the previous one with its text. */
    compose(recipe: Recipe) {
      const revision = getState().revision + 1;
      const fresh = {
        text: "",
        tensor: null,
        name: null,
        job: null,
        problem: null,
        ignored: [],
        lines: {},
      };
      setState({ ...fresh, recipe, writer: "form", revision });
    },
    /** Sets the editor's text, which may be invalid. */
    type(text: string) {
      setState({ text, writer: "text", revision: getState().revision + 1 });
    },
    /** Sets the text for a form's edit, unless that is out of date. */
    writeText(revision: number, text: string, parsed: ParsedRecipe | null) {
      const { findings = [], lines = {} } = parsed ?? {};
      if (current(revision)) setState({ text, problem: null, ignored: findings, lines });
    },
    /** Sets the recipe of the editor's text. */
    accept(revision: number, { recipe, findings, lines }: ParsedRecipe) {
      if (current(revision)) setState({ recipe, ignored: findings, lines, problem: null });
    },
    /** Sets the error of the editor's text; the form keeps the last valid recipe. */
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
    keepStages(keepStages: boolean) {
      setState({ keepStages });
    },
    follow(job: JobId | null) {
      setState({ job });
    },
  };
}

export type RecipeStore = ReturnType<typeof createRecipeStore>;
