import {
  keysOfList,
  type Recipe,
  type RecipeInputs,
  type RecipeModule,
} from "../../engine/contract/index.ts";
import { formatCount, formatLayers } from "../theme/format.ts";
import type { MapLegend } from "./mapLayout.ts";

/** Layers of one model that go into layers of the result. */
export interface LayerBar {
  readonly key: string;
  /** First layer of the result, and their number. */
  readonly column: number;
  readonly span: number;
  /** Layers of the model: `8–23`. */
  readonly range: string;
  /** Layers of the result: `16–31`. */
  readonly place: string;
  readonly slice: number;
  /** Keys of the models that it is merged with. */
  readonly others: readonly string[];
}

/** Bars of one model, in the order of the result. */
export interface LayerLane {
  readonly key: string;
  readonly name: string;
  readonly colour: string;
  readonly cells: readonly LayerBar[];
}

/** Layers of a result, or of one of its modules, by the models that they come from. */
export interface LayerPicture {
  /** Name of the module; null where the recipe has none. */
  readonly module: string | null;
  /** Number of layers; null where whole models are merged, which the recipe does not count. */
  readonly layers: number | null;
  readonly sentence: string;
  readonly lanes: readonly LayerLane[];
}

/** More models than this are counted in the sentence, not named. */
const MOST_NAMES = 4;
/** Length of all names together that a sentence holds. */
const MOST_LETTERS = 60;

const countOf = (count: number, what: string) =>
  `${formatCount(count)} ${what}${count === 1 ? "" : "s"}`;

function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Layers of a model that more than one of its bars takes. */
function countRepeats(ranges: readonly (readonly [number, number])[]): number {
  const times = new Map<number, number>();
  for (const [first, end] of ranges) {
    for (let layer = first; layer < end; layer++) times.set(layer, (times.get(layer) ?? 0) + 1);
  }
  return [...times.values()].filter((count) => count > 1).length;
}

function barsOf({ models, slices }: RecipeInputs, module: string): ReadonlyMap<string, LayerBar[]> {
  const lanes = new Map<string, LayerBar[]>();
  const add = (key: string, bar: Omit<LayerBar, "key">) => {
    const lane = lanes.get(key) ?? [];
    lane.push({ ...bar, key: `${module} ${bar.slice} ${key}` });
    lanes.set(key, lane);
  };
  const lists = slices?.map(({ sources }) => sources) ?? [models];
  let column = 0;
  for (const [slice, list] of lists.entries()) {
    const keys = keysOfList(list);
    const [first, end] = slices?.[slice]?.sources[0]?.layers ?? [0, 1];
    const span = end - first;
    const place = slices ? formatLayers([column, column + span]) : "all";
    for (const [i, key] of keys.entries()) {
      const layers = slices?.[slice]?.sources[i]?.layers;
      const range = layers ? formatLayers(layers) : "all layers";
      const others = keys.filter((other) => other !== key);
      add(key, { column, span, range, place, slice, others });
    }
    column += span;
  }
  return lanes;
}

/** One sentence on how many layers there are, and whose; a second one on layers that come again. */
function describe({ models, slices }: RecipeInputs, lanes: readonly LayerLane[]): string {
  const names = lanes.map(({ name }) => name);
  const isShort = names.length <= MOST_NAMES && names.join("").length <= MOST_LETTERS;
  const who = isShort ? listOf(names) : countOf(names.length, "model");
  if (!slices)
    return models.length > 1 ? `All layers, merged from ${who}.` : `All layers of ${who}.`;
  const sizes = slices.map(({ sources: [first] }) => first!.layers[1] - first!.layers[0]);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const total = sum(sizes);
  const merged = sum(sizes.filter((_, i) => slices[i]!.sources.length > 1));
  const whose = () => {
    if (merged === total) return `, merged from ${who}`;
    if (merged > 0) return ` from ${who}, ${formatCount(merged)} of them merged`;
    if (!isShort) return ` from ${who}`;
    const own = lanes.map(({ name, cells }) => {
      return `${formatCount(sum(cells.map(({ span }) => span)))} of ${name}`;
    });
    return `: ${listOf(own)}`;
  };
  const repeats = sum(
    lanes.map(({ key }) => {
      const ranges = slices.flatMap(({ sources }) => {
        const at = keysOfList(sources).indexOf(key);
        return at < 0 ? [] : [sources[at]!.layers];
      });
      return countRepeats(ranges);
    }),
  );
  const again =
    repeats === 1 ? "1 layer of a model is" : `${formatCount(repeats)} layers of the models are`;
  return `${countOf(total, "layer")}${whose()}.${repeats === 0 ? "" : ` ${again} used more than once.`}`;
}

/**
 * Pictures of a recipe's layers: one for each module, or one for the recipe; none where it merges
 * whole models. `keys` are the keys of its models, in the legend's order.
 */
export function layerPictures(
  recipe: Recipe,
  keys: readonly string[],
  legend: MapLegend,
): readonly LayerPicture[] {
  if (!recipe.slices && !recipe.modules) return [];
  const parts: readonly (RecipeInputs & Partial<RecipeModule>)[] = recipe.modules ?? [recipe];
  return parts.map((part) => {
    const lanes = [...barsOf(part, part.name ?? "")].map(([key, cells]): LayerLane => {
      const at = keys.indexOf(key);
      return { key, name: legend.names[at] ?? key, colour: legend.colours[at] ?? "", cells };
    });
    const layers = part.slices
      ? lanes.reduce((most, { cells }) => {
          const last = cells.at(-1)!;
          return Math.max(most, last.column + last.span);
        }, 0)
      : null;
    return { module: part.name ?? null, layers, sentence: describe(part, lanes), lanes };
  });
}

/** A bar in words, for its tooltip and for screen readers. */
export function describeBar(lane: LayerLane, { range, place, others }: LayerBar): string {
  const whose = range === "all layers" ? `all layers of ${lane.key}` : `${range} of ${lane.key}`;
  const merged = others.length === 0 ? "" : `, merged with ${listOf(others)}`;
  return place === "all" ? `${whose}${merged}` : `layers ${place}: ${whose}${merged}`;
}
