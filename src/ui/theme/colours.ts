/** How many model colours there are before they repeat. */
const MODEL_COLOURS = 7;

/** The CSS colour of the model at this place in a recipe: Okabe–Ito, in a fixed order. */
export function modelColour(index: number): string {
  return `var(--m${(index % MODEL_COLOURS) + 1})`;
}

/** Colour of the base: a neutral grey. */
export const BASE_COLOUR = "var(--base)";

/** Colour of text on a model's colour, at least 4.5 : 1 in both themes. */
export function inkOn(colour: string): string {
  return colour.replace(/\)$/, "-ink, #000)");
}

/** Colour of a member of a fusion: neutral for the pivot, distinct for the sources. */
export function memberColour(index: number): string {
  return index === 0 ? BASE_COLOUR : modelColour(index - 1);
}

/** Number of surprisal colours, one per nat; the last has no upper end. */
export const SURPRISAL_STEPS = 8;

/** Colour index of a surprisal, in nats: 0 has no colour, the ramp (cividis) is in tokens.css. */
export function surprisalStep(nats: number): number {
  if (!(nats > 0)) return 0; // NaN too: what is not known has no colour
  return Math.min(SURPRISAL_STEPS - 1, Math.floor(nats));
}

/** Present value of a `var(--name)`, for a canvas, which cannot read variables. */
export function resolveColour(colour: string): string {
  const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
  if (!name) return colour;
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
