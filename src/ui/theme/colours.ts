/** How many model colours there are before they repeat. */
const MODEL_COLOURS = 7;

/** The CSS colour of the model at this place in a recipe: Okabe–Ito, in a fixed order. */
export function modelColour(index: number): string {
  return `var(--m${(index % MODEL_COLOURS) + 1})`;
}

/** The base is no competitor: a neutral grey. */
export const BASE_COLOUR = "var(--base)";

/** The value that a `var(--name)` has now, for a canvas, which cannot read variables. */
export function resolveColour(colour: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
  if (!name) return colour;
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
