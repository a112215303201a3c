/** A stretch of a token's text. A mark stands for something that cannot be seen by itself. */
export interface TokenPiece {
  readonly text: string;
  readonly mark: boolean;
}

/** A lone space between words reads as one; other spaces, controls and formats need a mark. */
const UNSEEN = /\r\n|\n|\r|\t|^ +$| {2,}| $|(?!\u200d)[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const TRAILING_BREAKS = /(?:\r\n|\n|\r)+$/;
/** A long token must not run away with a column. */
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
 * A token's text as it is shown: what cannot be seen becomes a mark. `breaks` counts the line breaks
 * at its end, which the line itself must make; those inside are in the pieces, after their marks.
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

/** A token on one line, every space of it a mark: for labels and lists. */
export function nameToken(text: string): string {
  const { pieces } = splitTokenText(text);
  return pieces
    .map((piece) => (piece.text === "\n" ? "" : piece.text))
    .join("")
    .replaceAll(" ", "·");
}
