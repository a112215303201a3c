import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { openDepths } from "../../checkpoint/tensorRoles/depth.ts";
import {
  findEmbedding,
  findHead,
  isTied,
  withHead,
  withoutHead,
} from "../../checkpoint/tensorRoles/head.ts";
import { alignNames } from "../../checkpoint/tensorRoles/layouts.ts";
import { roleOf } from "../../checkpoint/tensorRoles/role.ts";
import { shiftLayer } from "../../checkpoint/views/layers.ts";
import { keysOfList, type LayerRange, type Recipe, sourceLists } from "../../contract/index.ts";
import { dtypeFromFloatName } from "../../core/tensor/dtype.ts";
import type { MergeMethod } from "../method.ts";
import { countedModels, type Position } from "../recipe/resolve.ts";
import { type Section, type SlicePlace, sectionsOf } from "../recipe/sections.ts";
import { inVocabulary } from "../vocabulary/chooseRows.ts";
import type { MergedVocabulary } from "../vocabulary/mergedVocabulary.ts";
import type { VocabularyOutcome } from "../vocabulary/planVocabulary.ts";
import { checkModels } from "./checkModels.ts";
import { cutSource } from "./cutSource.ts";
import type { Details } from "./details.ts";
import type { Source, Sources } from "./sources.ts";

/** A recipe with its checkpoints, by the names that it gives them. */
export interface OpenRequest {
  readonly method: MergeMethod;
  readonly recipe: Recipe;
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly details?: Details;
  /** Vocabulary of the result, where the recipe asks for one. */
  readonly vocabulary?: Pick<VocabularyOutcome, "merged" | "card">;
}

/** A slice of the result, and the layers of its base or first model that it is like. */
export interface OpenSlice extends SlicePlace {
  readonly model: Checkpoint;
  readonly range: LayerRange;
  /** Numbered list of the layers, `model.layers`. */
  readonly list: string | null;
}

/** A section whose inputs are views: its own tensors alone, layers under the result's numbers. */
export interface OpenSection {
  /** With the models that are merged: without the base, where the method works from one. */
  readonly recipe: Recipe;
  readonly module: string | null;
  readonly sources: Sources;
  /** Null for whole models. */
  readonly slice: OpenSlice | null;
  /** Place of a tensor of the result in what gradients are spread over. */
  positionOf(tensor: string): Position;
  /** Name in a model, by its index among the sources', of a tensor of the result. */
  nameIn(model: number, tensor: string): string;
}

/** A base that the method does not work from is one more whole model, as mergekit has it. */
function countBase(method: MergeMethod, section: Section): Section {
  const { recipe, place } = section;
  const { base, models } = recipe;
  if (method.base !== "none" || base === undefined || place) return section;
  if (models.some(({ model }) => model === base)) return section;
  return {
    ...section,
    recipe: { ...recipe, models: [...models, { model: base, parameters: {} }] },
  };
}

/** Lends tied models the head that others have: their embedding, which lies in the first slice. */
function lendHeads(
  sources: readonly Source[],
  inputs: readonly { readonly whole: Checkpoint }[],
): readonly Source[] {
  const head = sources.flatMap(({ checkpoint }) => findHead(checkpoint)?.name ?? [])[0];
  return sources.map((source, i): Source => {
    const { checkpoint } = source;
    if (head === undefined || findHead(checkpoint) || !isTied(checkpoint)) return source;
    const embedding = findEmbedding(inputs[i]!.whole);
    return embedding ? { ...source, checkpoint: withHead(checkpoint, embedding, head) } : source;
  });
}

/** Sources whose rows of tokens are those of the result's vocabulary. */
function alignTokens(
  sources: readonly Source[],
  inputs: readonly { readonly model: string }[],
  { base, dtype }: Recipe,
  merged: MergedVocabulary,
): readonly Source[] {
  const given = sources.map(({ checkpoint }, i) => ({ model: inputs[i]!.model, checkpoint }));
  const views = inVocabulary(merged, given, base, dtype && dtypeFromFloatName(dtype));
  return sources.map((source, i) => ({ ...source, checkpoint: views[i]! }));
}

/** Opens whole checkpoints under the template's names. */
function openSources({ recipe, checkpoints, details }: OpenRequest) {
  const first = recipe.base ?? sourceLists(recipe)[0]![0]!.model;
  const names = checkpoints.get(first)!;
  const open = (key: string, name: string): Source => {
    const stored = checkpoints.get(name)!;
    const { tokens = null, repeatsEmbedding = false } = details?.get(stored) ?? {};
    const aligned = alignNames(stored, names);
    const checkpoint = repeatsEmbedding ? withoutHead(aligned) : aligned;
    return { key, stored, checkpoint, tokens, repeatsEmbedding };
  };
  return { open, template: open(first, first) };
}

function openSection(request: OpenRequest, stated: Section): OpenSection {
  const { method } = request;
  const { open, template } = openSources(request);
  const section = countBase(method, stated);
  const { recipe, module, place, ranges } = section;
  const counted = countedModels(method, recipe);
  checkModels(method, section, counted.length);
  const keys = keysOfList(recipe.models);
  const input = (key: string, i: number) => {
    const range = ranges[i] ?? null;
    const model = recipe.models[i]?.model ?? key;
    const whole = open(key, model);
    return { model, whole: whole.checkpoint, range, ...cutSource(whole, section, range) };
  };
  const { base } = recipe;
  const listed = recipe.models.findIndex(({ model }) => model === base);
  // A slice has no base that is not among its sources.
  const hasBase = base !== undefined && (listed >= 0 || !place);
  const inputs = [
    ...(hasBase ? [input(base, listed)] : []),
    ...counted.map((i) => input(keys[i]!, i)),
  ];
  const [first] = inputs as [(typeof inputs)[number], ...typeof inputs];
  const cut = inputs.map(({ source }) => source);
  const merged = request.vocabulary?.merged ?? null;
  const views = merged
    ? alignTokens(lendHeads(cut, inputs), inputs, recipe, merged)
    : place && !place.first
      ? lendHeads(cut, inputs)
      : cut;
  const models = hasBase ? views.slice(1) : views;
  const offset = inputs.length - models.length;
  const depthOf = openDepths(views[0]!.checkpoint);
  return {
    recipe: { ...recipe, models: counted.map((i) => recipe.models[i]!) },
    module,
    sources: {
      method,
      base: hasBase && method.base !== "none" ? views[0]! : null,
      models,
      template: { ...template, checkpoint: views[0]!.checkpoint },
    },
    slice: place && {
      ...place,
      model: first.whole,
      range: first.range!,
      list: first.list,
    },
    positionOf(tensor) {
      if (!place) return depthOf(tensor);
      const { list, layer } = roleOf(tensor);
      const inside = layer !== null && list === first.list;
      return { layer: inside ? layer - place.at : null, layers: place.count };
    },
    nameIn(model, tensor) {
      const { range, list } = inputs[offset + model]!;
      return place && range ? shiftLayer(tensor, list, range[0] - place.at) : tensor;
    },
  };
}

/** Opens the sections of a recipe. `bad-recipe` for what a section or its models do not allow. */
export function openSections(request: OpenRequest): readonly OpenSection[] {
  return sectionsOf(request.recipe).map((section) => openSection(request, section));
}

/** Whole checkpoints of a recipe under the result's names, for what holds for all its sections. */
export function openWhole(request: OpenRequest, sections: readonly OpenSection[]): Sources {
  const { method, recipe } = request;
  const { open, template } = openSources(request);
  const byKey = new Map<string, Source>();
  for (const section of sections) {
    for (const [i, { key }] of section.sources.models.entries()) {
      const { model } = section.recipe.models[i]!;
      if (!byKey.has(key)) byKey.set(key, open(key, model));
    }
  }
  const hasBase = method.base !== "none" && recipe.base !== undefined;
  return { method, base: hasBase ? template : null, models: [...byKey.values()], template };
}
