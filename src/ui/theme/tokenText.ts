/** A piece of a token's text. A mark stands for a character that cannot be seen. */
export interface TokenPiece {
  readonly text: string;
  readonly mark: boolean;
}

/** Characters that need a mark: controls, formats and spaces, except a lone space between words. */
const UNSEEN = /\r\n|\n|\r|\t|^ +$| {2,}| $|(?!\u200d)[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const TRAILING_BREAKS = /(?:\r\n|\n|\r)+$/;
/** Largest number of characters shown of a token. */
const LONGEST = 400;

function markOf(text: string): string {
  if (/^[\r\n]/.test(text)) return "↵";
  if (text === "\t") return "⇥";
  if (text.startsWith(" ")) return "·".repeat(text.length);
  const code = text.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

/**
 * Text of a token as it is shown, with marks for characters that cannot be seen. `breaks` counts
 * the line breaks at its end, which the line must make; others are in the pieces, after their
 * marks.
 */
export function splitTokenText(text: string): {
  readonly pieces: readonly TokenPiece[];
  readonly breaks: number;
} {
  if (text === "") return { pieces: [{ text: "∅", mark: true }], breaks: 0 };
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  const tail = TRAILING_BREAKS.exec(shown)?.index ?? shown.length;
  const pieces: TokenPiece[] = [];
  let at = 0;
  let breaks = 0;
  for (const match of shown.matchAll(UNSEEN)) {
    if (match.index > at) pieces.push({ text: shown.slice(at, match.index), mark: false });
    at = match.index + match[0].length;
    const mark = markOf(match[0]);
    pieces.push({ text: mark, mark: true });
    if (mark === "↵" && match.index < tail) pieces.push({ text: "\n", mark: false });
    else if (mark === "↵") breaks += 1;
  }
  if (at < shown.length) pieces.push({ text: shown.slice(at), mark: false });
  return { pieces, breaks };
}

/** Text of a token on one line, every space a mark: for labels and lists. */
export function nameToken(text: string): string {
  const { pieces } = splitTokenText(text);
  return pieces
    .map((piece) => (piece.text === "\n" ? "" : piece.text))
    .join("")
    .replaceAll(" ", "·");
}
