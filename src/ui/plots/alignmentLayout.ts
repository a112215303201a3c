/** Gap between two tokens, and between the stretches that both texts share, in pixels. */
const GAP = 3;

export interface SpannedToken {
  /** Where its text ends in the document, in UTF-16 units. */
  readonly end: number;
  /** How wide its box is, in pixels. */
  readonly width: number;
}

/** A box on a line. */
export interface PlacedToken {
  readonly index: number;
  readonly x: number;
  readonly width: number;
}

/** A line of the pivot's tokens over a line of the source's. */
export interface AlignmentBlock {
  readonly pivot: readonly PlacedToken[];
  readonly source: readonly PlacedToken[];
}

/** Which token: of the pivot, or of the source. */
export interface TokenPlace {
  readonly side: "pivot" | "source";
  readonly index: number;
}

export interface AlignmentLayout {
  readonly blocks: readonly AlignmentBlock[];
  /** The block that each token is in. */
  readonly blockOf: { readonly pivot: readonly number[]; readonly source: readonly number[] };
}

/** Tokens from `pivot[0]` to before `pivot[1]`, over those of the source. */
interface Stretch {
  readonly pivot: readonly [number, number];
  readonly source: readonly [number, number];
}

/** The shortest stretches at whose ends both texts end together: lines may break there. */
export function cutStretches(
  pivot: readonly SpannedToken[],
  source: readonly SpannedToken[],
): readonly Stretch[] {
  const found: Stretch[] = [];
  let [p, s] = [0, 0];
  let [p0, s0] = [0, 0];
  const close = () => {
    found.push({ pivot: [p0, p], source: [s0, s] });
    [p0, s0] = [p, s];
  };
  while (p < pivot.length || s < source.length) {
    const a = pivot[p]?.end ?? Number.POSITIVE_INFINITY;
    const b = source[s]?.end ?? Number.POSITIVE_INFINITY;
    if (a === b) {
      // Tokens without a text of their own end where the one before them does.
      while (pivot[p]?.end === a) p += 1;
      while (source[s]?.end === a) s += 1;
      close();
    } else if (a < b) p += 1;
    else s += 1;
  }
  if (p > p0 || s > s0) close();
  return found;
}

const widthOf = (tokens: readonly SpannedToken[], [from, to]: readonly [number, number]) => {
  let width = Math.max(0, to - from - 1) * GAP;
  for (let index = from; index < to; index++) width += tokens[index]?.width ?? 0;
  return width;
};

/** Cuts a stretch that no line can hold where either of its lines is full, in the order of the ends. */
function splitStretch(
  stretch: Stretch,
  pivot: readonly SpannedToken[],
  source: readonly SpannedToken[],
  width: number,
): readonly Stretch[] {
  const fits = (one: Stretch) =>
    Math.max(widthOf(pivot, one.pivot), widthOf(source, one.source)) <= width;
  if (fits(stretch)) return [stretch];
  const found: Stretch[] = [];
  let [p, s] = [stretch.pivot[0], stretch.source[0]];
  let [p0, s0] = [p, s];
  while (p < stretch.pivot[1] || s < stretch.source[1]) {
    const a = p < stretch.pivot[1] ? (pivot[p]?.end ?? 0) : Number.POSITIVE_INFINITY;
    const b = s < stretch.source[1] ? (source[s]?.end ?? 0) : Number.POSITIVE_INFINITY;
    const next: Stretch =
      a <= b ? { pivot: [p0, p + 1], source: [s0, s] } : { pivot: [p0, p], source: [s0, s + 1] };
    if (!fits(next) && (p > p0 || s > s0)) {
      found.push({ pivot: [p0, p], source: [s0, s] });
      [p0, s0] = [p, s];
    } else if (a <= b) p += 1;
    else s += 1;
  }
  found.push({ pivot: [p0, p], source: [s0, s] });
  return found;
}

function placeTokens(
  tokens: readonly SpannedToken[],
  [from, to]: readonly [number, number],
  start: number,
  most: number,
): readonly PlacedToken[] {
  let x = start;
  return Array.from({ length: to - from }, (_, at) => {
    const index = from + at;
    const width = Math.min(most, tokens[index]?.width ?? 0);
    const placed = { index, x, width };
    x += width + GAP;
    return placed;
  });
}

/**
 * Sets two tokenisations of one text over each other on lines of at most `width` pixels. What ends
 * together starts again together, so that links are short and lines hold the same text.
 */
export function layOutAlignment(
  pivot: readonly SpannedToken[],
  source: readonly SpannedToken[],
  width: number,
): AlignmentLayout {
  const stretches = cutStretches(pivot, source).flatMap((stretch) =>
    splitStretch(stretch, pivot, source, width),
  );
  const blocks: { pivot: PlacedToken[]; source: PlacedToken[] }[] = [];
  const blockOf = { pivot: [] as number[], source: [] as number[] };
  let x = 0;
  for (const stretch of stretches) {
    const own = Math.max(widthOf(pivot, stretch.pivot), widthOf(source, stretch.source));
    let block = blocks.at(-1);
    if (!block || (x > 0 && x + own > width)) {
      block = { pivot: [], source: [] };
      blocks.push(block);
      x = 0;
    }
    for (const token of placeTokens(pivot, stretch.pivot, x, width)) block.pivot.push(token);
    for (const token of placeTokens(source, stretch.source, x, width)) block.source.push(token);
    for (let p = stretch.pivot[0]; p < stretch.pivot[1]; p++) blockOf.pivot.push(blocks.length - 1);
    for (let s = stretch.source[0]; s < stretch.source[1]; s++) {
      blockOf.source.push(blocks.length - 1);
    }
    x += own + GAP;
  }
  return { blocks, blockOf };
}
