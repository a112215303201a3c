import type { ModelCard } from "../../engine/contract/index.ts";

/** Whether a complete checkpoint is a model by itself, or with an adapter: no adapter alone. */
export function isModel({ state, adapter }: ModelCard): boolean {
  return state === "complete" && adapter === undefined;
}

/** Whether two complete checkpoints have the same shape, as far as their cards say. */
export function isCompatible(a: ModelCard, b: ModelCard): boolean {
  return (
    isModel(a) &&
    isModel(b) &&
    a.architecture === b.architecture &&
    a.layers === b.layers &&
    Math.abs(a.parameters - b.parameters) <= 0.05 * Math.max(a.parameters, b.parameters)
  );
}

/** Largest set of models that can be merged with one another; empty below two. */
export function findCompatible(models: readonly ModelCard[]): readonly ModelCard[] {
  const groups = models.map((model) => models.filter((other) => isCompatible(model, other)));
  const best = groups.reduce((a, b) => (b.length > a.length ? b : a), []);
  return best.length >= 2 ? best : [];
}

/** Name that is not taken in the library. */
export function suggestName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let count = 2; taken.includes(name); count++) name = `${wanted}-${count}`;
  return name;
}

/** Common prefix of names, in whole words: `ember` of `ember-base` and `ember-tales`. */
export function sharedStem(names: readonly string[]): string {
  const [first = "", ...rest] = names;
  let length = first.length;
  for (const name of rest) {
    let same = 0;
    while (same < length && name[same] === first[same]) same += 1;
    length = same;
  }
  return /^(.*)[-_. ]/.exec(first.slice(0, length))?.[1] ?? "";
}

/** Names without their common prefix. */
export function shortNames(names: readonly string[]): readonly string[] {
  const stem = names.length > 1 ? sharedStem(names) : "";
  return names.map((name) =>
    stem ? name.slice(stem.length).replace(/^[-_. ]+/, "") || name : name,
  );
}
