import type { ExtraGroup } from "../../../engine/contract/index.ts";

/** Tensors that one pattern of `extra_tensors` stands for, and what is known about them. */
export interface ExtraRow extends ExtraGroup {
  readonly filter: string;
}

const words = (name: string) => name.split(".");

/** The words that all names begin with, and those that all end with, each with its dot. */
function commonEnds(names: readonly string[]): {
  readonly prefix: string;
  readonly suffix: string;
} {
  const all = names.map(words);
  const [first = []] = all;
  const shortest = Math.min(...all.map(({ length }) => length)) - 1;
  let front = 0;
  while (front < shortest && all.every((each) => each[front] === first[front])) front += 1;
  let back = 0;
  while (
    back < shortest - front &&
    all.every((each) => each.at(-1 - back) === first.at(-1 - back))
  ) {
    back += 1;
  }
  const prefix = first.slice(0, front).map((word) => `${word}.`);
  const suffix = first.slice(first.length - back).map((word) => `.${word}`);
  return { prefix: prefix.join(""), suffix: suffix.join("") };
}

/** Patterns that match all of these names and none of the others: as few as the names' words allow. */
function patternsOf(
  names: readonly string[],
  others: readonly string[],
): readonly (readonly [filter: string, names: readonly string[]])[] {
  const [first = ""] = names;
  if (names.length === 1) return [[first, names]];
  const { prefix, suffix } = commonEnds(names);
  const isMatched = (name: string) =>
    name.startsWith(prefix) &&
    name.endsWith(suffix) &&
    name.length >= prefix.length + suffix.length;
  if (prefix !== "" && !others.some(isMatched)) return [[`${prefix}*${suffix}`, names]];
  const next = words(prefix).length - 1;
  const byWord = new Map<string, string[]>();
  for (const name of names) {
    const word = words(name)[next] ?? "";
    byWord.set(word, [...(byWord.get(word) ?? []), name]);
  }
  // Where the next word tells nothing apart, each name stands for itself.
  if (byWord.size === 1) return names.map((name) => [name, [name]]);
  return [...byWord.values()].flatMap((part) => patternsOf(part, others));
}

/** One row a pattern, what forbids the merge first. */
export function extraRows(extras: readonly ExtraGroup[]): readonly ExtraRow[] {
  const rows = extras.flatMap((group) => {
    const others = extras.flatMap((other) => (other === group ? [] : other.tensors));
    return patternsOf(group.tensors, others).map(([filter, tensors]) => ({
      ...group,
      filter,
      tensors,
    }));
  });
  const order = ({ outcome }: ExtraRow) => Number(outcome !== "refuse");
  return rows.toSorted((a, b) => order(a) - order(b));
}
