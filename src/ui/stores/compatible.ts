import type { ModelCard } from "../../engine/contract/index.ts";

/** True where two complete checkpoints have one shape, as far as their cards tell. */
export function isCompatible(a: ModelCard, b: ModelCard): boolean {
  return (
    a.state === "complete" &&
    b.state === "complete" &&
    a.architecture === b.architecture &&
    a.layers === b.layers &&
    Math.abs(a.parameters - b.parameters) <= 0.05 * Math.max(a.parameters, b.parameters)
  );
}

/** The largest set of the models that can be merged with one another; empty below two. */
export function findCompatible(models: readonly ModelCard[]): readonly ModelCard[] {
  const groups = models.map((model) => models.filter((other) => isCompatible(model, other)));
  const best = groups.reduce((a, b) => (b.length > a.length ? b : a), []);
  return best.length >= 2 ? best : [];
}

/** A name that nothing in the library has yet. */
export function suggestName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let count = 2; taken.includes(name); count++) name = `${wanted}-${count}`;
  return name;
}

/** What models share at the front of their names: `ember` of `ember-base` and `ember-tales`. */
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

/** What to call each model beside its siblings: without the stem that they share. */
export function shortNames(names: readonly string[]): readonly string[] {
  const stem = names.length > 1 ? sharedStem(names) : "";
  return names.map((name) =>
    stem ? name.slice(stem.length).replace(/^[-_. ]+/, "") || name : name,
  );
}
