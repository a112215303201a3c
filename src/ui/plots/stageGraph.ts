import { namedModels, type Recipe, renameModels } from "../../engine/contract/index.ts";

/** A merge of a recipe, by what goes into it. */
export interface StageNode {
  /** Name of its result; null for the recipe itself, which comes last. */
  readonly name: string | null;
  readonly method: string;
  /** Models that it merges and no stage makes. */
  readonly models: readonly string[];
  /** Indices of the merges whose results it merges. */
  readonly feeds: readonly number[];
}

/** Name of the model that a recipe means: mergekit writes `model@revision+adapter`. */
const modelOf = (reference: string) => reference.split(/[+@]/, 1)[0]!;

/** Every model that a merge names, each once, the base first; those of its tokenizer among them. */
function namesIn({ stages: _, ...recipe }: Recipe): readonly string[] {
  const names = new Set(namedModels(recipe));
  renameModels(recipe, (reference) => {
    names.add(reference);
    return reference;
  });
  return [...names];
}

/** The merges of a recipe in the order in which they are made; empty where it has no stages. */
export function stageNodes(recipe: Recipe): readonly StageNode[] {
  const { stages = [] } = recipe;
  if (stages.length === 0) return [];
  const places = new Map(stages.map(({ name }, i) => [name, i]));
  const placeOf = (model: string) => places.get(model) ?? places.get(modelOf(model));
  return [...stages, { name: null, recipe }].map(({ name, recipe: own }): StageNode => {
    const named = namesIn(own);
    return {
      name,
      method: own.method,
      models: named.filter((model) => placeOf(model) === undefined),
      feeds: [...new Set(named.flatMap((model) => placeOf(model) ?? []))],
    };
  });
}

/** A result that a later merge reads, as a curve beside the list of merges. */
export interface StageLink {
  readonly from: number;
  readonly to: number;
  /** Distance from the list, in lanes: links that overlap have different ones. */
  readonly lane: number;
}

/** The links of a graph, short ones next to the list. */
export function stageLinks(nodes: readonly StageNode[]): readonly StageLink[] {
  const links = nodes.flatMap(({ feeds }, to) => feeds.map((from) => ({ from, to })));
  links.sort((a, b) => a.to - a.from - (b.to - b.from) || a.from - b.from);
  const placed: StageLink[] = [];
  for (const { from, to } of links) {
    const taken = placed.filter((link) => link.from < to && from < link.to);
    const lane = taken.reduce((most, link) => Math.max(most, link.lane + 1), 0);
    placed.push({ from, to, lane });
  }
  return placed;
}
