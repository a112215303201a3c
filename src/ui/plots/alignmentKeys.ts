import type {
  AlignmentBlock,
  AlignmentLayout,
  PlacedToken,
  TokenPlace,
} from "./alignmentLayout.ts";

/** Token of a line that is nearest to an x position. */
function nearest(line: readonly PlacedToken[], x: number): PlacedToken | undefined {
  const away = (token: PlacedToken) => Math.abs(token.x + token.width / 2 - x);
  return line.reduce<PlacedToken | undefined>(
    (best, token) => (best && away(best) <= away(token) ? best : token),
    undefined,
  );
}

/** Next line up or down, in the order pivot, source, pivot, source; empty lines are skipped. */
function nextLine(
  blocks: readonly AlignmentBlock[],
  block: number,
  side: TokenPlace["side"],
  step: -1 | 1,
): readonly [TokenPlace["side"], readonly PlacedToken[]] | null {
  let line = block * 2 + (side === "source" ? 1 : 0) + step;
  for (; line >= 0 && line < blocks.length * 2; line += step) {
    const there = line % 2 === 0 ? "pivot" : "source";
    const tokens = blocks[Math.floor(line / 2)]?.[there] ?? [];
    if (tokens.length > 0) return [there, tokens];
  }
  return null;
}

/** Token that a key moves to; null for other keys. */
export function moveInAlignment(
  key: string,
  at: TokenPlace,
  { blocks, blockOf }: AlignmentLayout,
): TokenPlace | null {
  const { side, index } = at;
  const last = blockOf[side].length - 1;
  const upDown = (step: -1 | 1): TokenPlace => {
    const block = blockOf[side][index] ?? 0;
    const own = blocks[block]?.[side].find((token) => token.index === index);
    const line = nextLine(blocks, block, side, step);
    const found = line && nearest(line[1], own ? own.x + own.width / 2 : 0);
    return line && found ? { side: line[0], index: found.index } : at;
  };
  switch (key) {
    case "ArrowLeft":
      return { side, index: Math.max(0, index - 1) };
    case "ArrowRight":
      return { side, index: Math.min(last, index + 1) };
    case "Home":
      return { side, index: 0 };
    case "End":
      return { side, index: last };
    case "ArrowUp":
      return upDown(-1);
    case "ArrowDown":
      return upDown(1);
    default:
      return null;
  }
}
