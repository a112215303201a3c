/** Position of a token on the screen. */
export interface TokenPlace {
  readonly left: number;
  readonly right: number;
  readonly top: number;
}

/** Smallest distance between two lines, in pixels; marks shift tokens by less. */
const LINE_GAP = 6;

/** Nearest token on the line above (−1) or below (1), or the same token where there is none. */
function otherLine(place: (index: number) => TokenPlace, count: number, at: number, step: -1 | 1) {
  const from = place(at);
  const middle = (from.left + from.right) / 2;
  const distance = ({ left, right }: TokenPlace) => Math.abs((left + right) / 2 - middle);
  let best = at;
  let line: number | null = null;
  for (let index = at + step; index >= 0 && index < count; index += step) {
    const here = place(index);
    if (Math.abs(here.top - from.top) < LINE_GAP) continue;
    line ??= here.top;
    if (Math.abs(here.top - line) >= LINE_GAP) break;
    if (best === at || distance(here) < distance(place(best))) best = index;
  }
  return best;
}

/** Token that a key moves to; null for other keys. */
export function moveToken(
  key: string,
  at: number,
  count: number,
  place: (index: number) => TokenPlace,
): number | null {
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, at - 1);
    case "ArrowRight":
      return Math.min(count - 1, at + 1);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    case "ArrowUp":
      return otherLine(place, count, at, -1);
    case "ArrowDown":
      return otherLine(place, count, at, 1);
    default:
      return null;
  }
}
