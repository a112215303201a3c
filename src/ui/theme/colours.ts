/** How many model colours there are before they repeat. */
const MODEL_COLOURS = 7;

/** The CSS colour of the model at this place in a recipe: Okabe–Ito, in a fixed order. */
export function modelColour(index: number): string {
  return `var(--m${(index % MODEL_COLOURS) + 1})`;
}

/** The base is no competitor: a neutral grey. */
export const BASE_COLOUR = "var(--base)";

/** The colour of a member of a fusion: the pivot is first and neutral, the sources are told apart. */
export function memberColour(index: number): string {
  return index === 0 ? BASE_COLOUR : modelColour(index - 1);
}

/** How many steps of surprisal have a colour, one per nat; the last one has no upper end. */
export const SURPRISAL_STEPS = 8;

/** The step of a surprisal, in nats: 0 has no colour, the ramp (cividis) is in tokens.css. */
export function surprisalStep(nats: number): number {
  if (!(nats > 0)) return 0; // NaN too: what is not known has no colour
  return Math.min(SURPRISAL_STEPS - 1, Math.floor(nats));
}

/** The value that a `var(--name)` has now, for a canvas, which cannot read variables. */
export function resolveColour(colour: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
  if (!name) return colour;
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
