import type { WeightCell } from "../../contract/index.ts";

/** The weight map that a headline describes: its models and cells. */
interface Subject {
  readonly models: readonly string[];
  readonly cells: readonly WeightCell[];
}

type MeasuredCell = WeightCell & { readonly shares: readonly number[] };

/** Difference of shares below which two shares count as equal: the map's colours do not show it. */
const SAME = 0.01;
/** Smallest lead of one model's share over the next that a headline mentions. */
const LEAD = 0.02;
const COUNT_WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"];
const GROUPS = [
  ["mlp", "the MLPs"],
  ["attention", "attention"],
] as const;

/** Shortest names that still differ: without folders and without a common prefix of words. */
export function shortenNames(names: readonly string[]): readonly string[] {
  const last = names.map(
    (name) =>
      name
        .replace(/[\\/]+$/, "")
        .split(/[\\/]/)
        .at(-1) || name,
  );
  const words = last.map((name) => name.split(/(?<=[-_. ])/));
  const shortest = Math.min(...words.map((list) => list.length));
  let common = 0;
  while (
    names.length > 1 &&
    common < shortest - 1 &&
    words.every((list) => list[common] === words[0]![common])
  ) {
    common += 1;
  }
  const short = words.map((list) => list.slice(common).join(""));
  if (new Set(short).size === names.length) return short;
  return new Set(last).size === names.length ? last : names;
}

/** Mean share of each model over cells, weighted by their element counts. */
function meanOf(cells: readonly MeasuredCell[]): readonly number[] {
  const elements = cells.reduce((sum, { elementCount }) => sum + elementCount, 0);
  return (cells[0]?.shares ?? []).map(
    (_, m) =>
      cells.reduce((sum, { shares, elementCount }) => sum + shares[m]! * elementCount, 0) /
      Math.max(elements, 1),
  );
}

/** Index of the model with the largest mean share, or -1 where its lead is below `LEAD`. */
function leaderOf(cells: readonly MeasuredCell[]): number {
  const means = meanOf(cells);
  const [first = 0, second = Number.NEGATIVE_INFINITY] = means.toSorted((a, b) => b - a);
  return first - second >= LEAD ? means.indexOf(first) : -1;
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

function listWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Sentence for a map whose tensors all have the same shares, else null. */
function describeConstant(names: readonly string[], cells: readonly MeasuredCell[]): string | null {
  const first = cells[0]!.shares;
  if (!cells.every(({ shares }) => shares.every((s, m) => Math.abs(s - first[m]!) <= SAME))) {
    return null;
  }
  if (names.length === 1) return `${names[0]} has a share of ${percent(first[0]!)} everywhere.`;
  if (first.every((share) => Math.abs(share - first[0]!) <= SAME)) {
    const count = COUNT_WORDS[names.length] ?? String(names.length);
    const sum = first.reduce((a, b) => a + b, 0);
    if (Math.abs(sum - 1) <= SAME * names.length) {
      return `The ${count} models share evenly everywhere.`;
    }
    return `The ${count} models have the same share everywhere: ${percent(first[0]!)} each.`;
  }
  const shares = names.map((name, m) => `${name} ${percent(first[m]!)}`);
  return `The shares are the same everywhere: ${listWords(shares)}.`;
}

/** Sentence for a merge of one model: how its share varies over the tensors. */
function describeSingle(name: string, cells: readonly MeasuredCell[]): string {
  const sorted = cells.toSorted((a, b) => a.shares[0]! - b.shares[0]!);
  const say = ({ layer, column, shares }: MeasuredCell) =>
    `${percent(shares[0]!)} in ${column}${layer === null ? "" : ` of layer ${layer}`}`;
  return `${name} has from ${say(sorted[0]!)} to ${say(sorted.at(-1)!)}.`;
}

/**
 * Phrase that says which model leads in one kind of matrix: in all layers, from some layer on, or
 * on average.
 */
function describeGroup(
  names: readonly string[],
  cells: readonly MeasuredCell[],
  title: string,
): string | null {
  const layers = [...new Set(cells.map(({ layer }) => layer!))].sort((a, b) => a - b);
  const leaders = layers.map((layer) => leaderOf(cells.filter((cell) => cell.layer === layer)));
  const final = leaders.at(-1) ?? -1;
  const turn = leaders.findLastIndex((leader) => leader !== final) + 1;
  if (final >= 0 && turn === 0) return `${names[final]} leads ${title} in every layer`;
  if (final >= 0 && leaders.length - turn >= 2 && turn <= leaders.length / 2 + 1) {
    return `${names[final]} leads ${title} from layer ${layers[turn]} on`;
  }
  const leader = leaderOf(cells);
  return leader < 0 ? null : `${names[leader]} leads ${title} on average`;
}

/** Sentence that says how many tensors of a model equal the base's, or null where none do. */
function describeUnchanged(names: readonly string[], cells: readonly WeightCell[]): string | null {
  const known = cells.filter(({ change }) => change !== null);
  if (known.length === 0) return null;
  const still = names.map((_, m) => known.filter(({ change }) => change![m] === 0).length);
  const whole = names.filter((_, m) => still[m] === known.length);
  if (whole.length > 0) {
    return `${listWords(whole)} did not change ${known.length === 1 ? "the only tensor" : "any tensor"}.`;
  }
  const most = still.indexOf(Math.max(...still));
  const count = still[most] ?? 0;
  if (count === 0) return null;
  return `${names[most]} did not change ${count} ${count === 1 ? "tensor" : "tensors"}.`;
}

function describeStack(names: readonly string[], cells: readonly MeasuredCell[]): string | null {
  const clauses = GROUPS.flatMap(([group, title]) => {
    const own = cells.filter((cell) => cell.group === group && cell.layer !== null);
    const clause = own.length === 0 ? null : describeGroup(names, own, title);
    return clause === null ? [] : [clause];
  });
  const [first, second] = clauses;
  if (first === undefined) return null;
  if (second === undefined) return `${first}.`;
  if (second === first.replace("the MLPs", "attention")) {
    return `${first.replace("the MLPs", "attention and the MLPs")}.`;
  }
  return `${first}; ${second}.`;
}

/** Sentence for the cell where a model's share exceeds an even share the most. */
function describePeak(names: readonly string[], cells: readonly MeasuredCell[]): string {
  let peak = { cell: cells[0]!, model: 0 };
  for (const cell of cells) {
    for (const [model, share] of cell.shares.entries()) {
      if (share > peak.cell.shares[peak.model]!) peak = { cell, model };
    }
  }
  const { cell, model } = peak;
  const { column, layer, shares } = cell;
  const around = cells.filter((other) => other.layer === layer);
  const whole = around.every((other) => Math.abs(other.shares[model]! - shares[model]!) < 1e-9);
  const place = layer === null ? column : whole ? `layer ${layer}` : `${column} of layer ${layer}`;
  return `No model leads overall; ${names[model]} stands out most, with ${percent(shares[model]!)} in ${place}.`;
}

/**
 * Headline of a weight map: one sentence about its measured cells. Empty while less than half of
 * the merged cells are measured.
 */
export function writeHeadline({ models, cells }: Subject): string {
  const merged = cells.filter((cell) => cell.merged && cell.elementCount > 0);
  const measured = merged.filter((cell): cell is MeasuredCell => cell.shares !== null);
  if (measured.length === 0 || measured.length < merged.length / 2) return "";
  const names = shortenNames(models);
  const unchanged = describeUnchanged(names, merged);
  if (unchanged?.endsWith("any tensor.")) return unchanged;
  const constant = describeConstant(names, measured);
  if (constant !== null) return constant;
  if (names.length === 1) return describeSingle(names[0]!, measured);
  const stack = describeStack(names, measured);
  if (stack !== null) return stack;
  const leader = leaderOf(measured);
  if (leader >= 0) {
    const share = meanOf(measured)[leader]!;
    return `${names[leader]} has the largest share overall, ${percent(share)} on average.`;
  }
  if (unchanged !== null) return unchanged;
  // Vectors, such as norms, are left out where there are matrices: they hold few of the weights.
  const matrices = measured.filter(({ shape }) => shape.length > 1);
  return describePeak(names, matrices.length > 0 ? matrices : measured);
}
