import type { AlignedToken } from "../../engine/contract/index.ts";
import { nameToken } from "../theme/tokenText.ts";
import type { SpannedToken } from "./alignmentLayout.ts";

/** Padding and smallest width of a token's box, in pixels. */
const PADDING = 13;
const LEAST = 22;
const SIZE = "12.5px";

const widths = new Map<string, number>();
let pen: CanvasRenderingContext2D | null | undefined;

function widthOf(text: string): number {
  pen ??= document.createElement("canvas").getContext("2d");
  if (!pen) return text.length * 7.5;
  pen.font = `${SIZE} ${getComputedStyle(document.documentElement).getPropertyValue("--mono")}`;
  return pen.measureText(text).width;
}

/** Width of each token's box; measured once per distinct text. */
export function measureTokens(tokens: readonly AlignedToken[]): readonly SpannedToken[] {
  return tokens.map(({ text, end }) => {
    let width = widths.get(text);
    if (width === undefined) {
      width = Math.max(LEAST, Math.ceil(widthOf(nameToken(text))) + PADDING);
      widths.set(text, width);
    }
    return { end, width };
  });
}
