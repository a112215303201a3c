/** A recipe: mergekit's language as data, with nothing resolved. */
export type Scalar = number | boolean | string;
/** One value, or a gradient: numbers spread over the layers. */
export type Level = Scalar | readonly number[];
/**
 * An entry of a list of filters: the first whose filter is absent, `*` or a substring of the
 * tensor's name gives the value.
 */
export interface Conditional {
  readonly filter?: string;
  readonly value: Level;
}
/**
 * A parameter's setting in a recipe. A list of strings is itself a value (VaRM's include and
 * exclude patterns).
 */
export type Setting = Level | readonly Conditional[] | readonly string[];
export type Settings = Readonly<Record<string, Setting>>;

export type FloatName = "float32" | "float16" | "bfloat16";

/**
 * Actions for a tensor that only some models have: copy it from the first that has it, leave it
 * out, or refuse the merge.
 */
export const EXTRA_ACTIONS = ["copy", "leave_out", "refuse"] as const;
export type ExtraAction = (typeof EXTRA_ACTIONS)[number];

export interface ExtraTensors {
  /** Part of the tensor's name, or with `*` the whole of it; absent for all. */
  readonly filter?: string;
  readonly value: ExtraAction;
}

/** A model of a recipe, with the parameters that hold for it. */
export interface RecipeModel {
  /** Name in the library, or in the terminal a folder relative to the recipe. */
  readonly model: string;
  readonly parameters: Settings;
}

/** Layers [first, end) of a model. */
export type LayerRange = readonly [first: number, end: number];

/** Layers of a model that go into a slice. */
export interface SliceSource extends RecipeModel {
  readonly layers: LayerRange;
}

/** Consecutive layers of the result: as many layers of each source, merged with each other. */
export interface RecipeSlice {
  readonly sources: readonly SliceSource[];
  /** Base of this slice; by default the recipe's. */
  readonly base?: string;
  readonly parameters: Settings;
}

/** What is merged: whole models, or slices that lie one after the other. */
export interface RecipeInputs {
  /** Empty where there are slices or modules. */
  readonly models: readonly RecipeModel[];
  readonly slices?: readonly RecipeSlice[];
  readonly parameters: Settings;
}

/** A part of models that have several: `text_decoder`, `vision_tower`, `encoder`. */
export interface RecipeModule extends RecipeInputs {
  readonly name: string;
}

/** Where a token's row of the embedding comes from: a model's row for it, another row, or zeros. */
export type TokenSource =
  | { readonly kind: "model"; readonly model: string }
  | { readonly kind: "token"; readonly model: string; readonly token: string | number }
  | { readonly kind: "zero" };

export interface RecipeToken {
  readonly token: string;
  readonly source?: TokenSource;
  /** Takes the source's row even for models that have the token. */
  readonly force?: true;
}

/** Vocabulary of the result. */
export interface RecipeTokenizer {
  /** `union`, `base` or a model. */
  readonly source: string;
  readonly tokens?: readonly RecipeToken[];
  /** The embedding's number of rows is rounded up to a multiple of it. */
  readonly padToMultipleOf?: number;
}

/** A merge whose result is an input of later ones, under its name. */
export interface RecipeStage {
  readonly name: string;
  readonly recipe: Recipe;
}

export interface Recipe extends RecipeInputs {
  readonly method: string;
  readonly base?: string;
  readonly modules?: readonly RecipeModule[];
  /** Merges that come first, each after those that it names. A stage has none of its own. */
  readonly stages?: readonly RecipeStage[];
  /** Dtype that mergekit computes in, and writes where `outDtype` is absent. */
  readonly dtype?: FloatName;
  readonly outDtype?: FloatName;
  /** Merges models of different architecture names where every tensor matches. */
  readonly allowArchitectureMismatch?: true;
  /** Copies the code files beside the weights that config.json names (`auto_map`). */
  readonly copyCode?: true;
  /** Actions for tensors that only some models have: the first matching entry counts. */
  readonly extraTensors?: readonly ExtraTensors[];
  /**
   * Reads a row of the embedding or head that holds NaN or infinity in one model from the base, or
   * else from the first model that holds numbers there.
   */
  readonly fillNanRows?: true;
  readonly tokenizer?: RecipeTokenizer;
  /** Chat template of the result: `auto`, the name of a built-in one, or Jinja. */
  readonly chatTemplate?: string;
}

/** Models that are merged with each other: the recipe's, or the sources of each of its slices. */
export function sourceLists(recipe: Recipe): readonly (readonly RecipeModel[])[] {
  return [recipe, ...(recipe.modules ?? [])].flatMap(({ models, slices = [] }) => [
    ...(models.length > 0 ? [models] : []),
    ...slices.map(({ sources }) => sources),
  ]);
}

/** Every model that a recipe reads, the base first and each once; results of its stages among them. */
export function namedModels(recipe: Recipe): readonly string[] {
  const slices = [recipe, ...(recipe.modules ?? [])].flatMap((inputs) => inputs.slices ?? []);
  const models = sourceLists(recipe).flatMap((list) => list.map(({ model }) => model));
  const names = [recipe.base, ...models, ...slices.map(({ base }) => base)];
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * The recipe with its models under other names, in its stages too; results of stages keep theirs.
 */
export function renameModels(recipe: Recipe, change: (model: string) => string): Recipe {
  const { tokenizer, modules, stages = [] } = recipe;
  const made = new Set(stages.map(({ name }) => name));
  const rename = (model: string) => (made.has(model) ? model : change(model));
  const named = <Entry extends RecipeModel>(entry: Entry) => {
    return { ...entry, model: rename(entry.model) };
  };
  const based = <Entry extends { readonly base?: string }>(entry: Entry) => {
    return entry.base === undefined ? entry : { ...entry, base: rename(entry.base) };
  };
  const inputs = <Inputs extends RecipeInputs>(given: Inputs): Inputs => ({
    ...given,
    models: given.models.map(named),
    ...(given.slices && {
      slices: given.slices.map((slice) => based({ ...slice, sources: slice.sources.map(named) })),
    }),
  });
  return based({
    ...inputs(recipe),
    ...(modules && { modules: modules.map(inputs) }),
    ...(tokenizer && { tokenizer: renameTokenizer(tokenizer, rename) }),
    ...(stages.length > 0 && {
      stages: stages.map((stage) => ({ ...stage, recipe: renameModels(stage.recipe, rename) })),
    }),
  });
}

function renameTokenizer(
  { source, tokens, ...rest }: RecipeTokenizer,
  rename: (model: string) => string,
): RecipeTokenizer {
  const renamed = (token: RecipeToken): RecipeToken => {
    const from = token.source;
    if (from === undefined || from.kind === "zero") return token;
    return { ...token, source: { ...from, model: rename(from.model) } };
  };
  return {
    ...rest,
    source: source === "union" || source === "base" ? source : rename(source),
    ...(tokens && { tokens: tokens.map(renamed) }),
  };
}

/** Key of each entry of a list of models: its name, with `#2` … for repeats. */
export function keysOfList(models: readonly RecipeModel[]): readonly string[] {
  const seen = new Map<string, number>();
  return models.map(({ model }) => {
    const count = (seen.get(model) ?? 0) + 1;
    seen.set(model, count);
    return count === 1 ? model : `${model}#${count}`;
  });
}

/** Key of each model of a recipe in results; one that several slices name has one key. */
export function modelKeys(recipe: Recipe): readonly string[] {
  return [...new Set(sourceLists(recipe).flatMap(keysOfList))];
}
