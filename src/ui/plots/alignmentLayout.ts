/** Gap in pixels between two tokens, and between stretches. */
const GAP = 3;

export interface SpannedToken {
  /** End of its text in the document, in UTF-16 units. */
  readonly end: number;
  /** Width of its box, in pixels. */
  readonly width: number;
}

/** Box of a token on a line. */
export interface PlacedToken {
  readonly index: number;
  readonly x: number;
  readonly width: number;
}

/** A line of pivot tokens above a line of source tokens. */
export interface AlignmentBlock {
  readonly pivot: readonly PlacedToken[];
  readonly source: readonly PlacedToken[];
}

/** A token of the pivot or of the source, by index. */
export interface TokenPlace {
  readonly side: "pivot" | "source";
  readonly index: number;
}

export interface AlignmentLayout {
  readonly blocks: readonly AlignmentBlock[];
  /** Block of each token. */
  readonly blockOf: { readonly pivot: readonly number[]; readonly source: readonly number[] };
}

/** Pivot tokens [pivot[0], pivot[1]) above source tokens. */
interface Stretch {
  readonly pivot: readonly [number, number];
  readonly source: readonly [number, number];
}

/** Shortest stretches at whose ends both texts end: lines may break there. */
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
      // Tokens without text end where the previous one does.
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

/** Splits a stretch longer than a line where either side is full, in the order of the ends. */
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
 * Layout of two tokenisations of one text on lines of at most `width` pixels. Stretches start
 * together on both lines, so that links are short and lines hold the same text.
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
