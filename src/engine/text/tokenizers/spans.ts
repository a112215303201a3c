import { invariant } from "../../core/invariant.ts";

/**
 * Spans of n tokens as n + 1 boundaries: token i is [b[i], b[i + 1]). They are ascending, disjoint
 * and complete; a token without text (a special token, an added leading space) has an empty span.
 */
export interface TokenSpans {
  /** Boundaries in UTF-8 bytes, exact within characters that several tokens spell. */
  readonly bytes: Uint32Array;
  /** Boundaries in UTF-16 units; a character belongs to the token that completes it. */
  readonly chars: Uint32Array;
}

/** Collects the starts of tokens. Text without a token belongs to the token before. */
export class SpanWriter {
  readonly #original: string;
  readonly #chars: number[] = [];
  readonly #bytes: number[] = [];
  #char = 0;
  #byte = 0;
  #textBegun = false;

  constructor(original: string) {
    this.#original = original;
  }

  /**
   * Adds a token that starts at a UTF-16 unit of the original, `byteIndex` bytes into its
   * character.
   */
  add(char: number, byteIndex: number): void {
    // Text removed at the very beginning belongs to the first token.
    const start = this.#textBegun ? char : 0;
    this.#textBegun = true;
    this.#advance(start);
    this.#chars.push(start);
    this.#bytes.push(this.#byte + (start === char ? byteIndex : 0));
  }

  /** Adds a special token before or after the text. */
  addEmpty(at: "start" | "end"): void {
    if (at === "end") this.#advance(this.#original.length);
    this.#chars.push(this.#char);
    this.#bytes.push(this.#byte);
  }

  finish(): TokenSpans {
    this.#advance(this.#original.length);
    return {
      bytes: Uint32Array.from([...this.#bytes, this.#byte]),
      chars: Uint32Array.from([...this.#chars, this.#char]),
    };
  }

  #advance(to: number): void {
    invariant(to >= this.#char && to <= this.#original.length, "tokens start in order");
    for (; this.#char < to; this.#char++) this.#byte += utf8Length(this.#original, this.#char);
  }
}

/** UTF-8 bytes of a unit; the first of a surrogate pair has all four. */
function utf8Length(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  if (unit >= 0xd800 && unit < 0xdc00) return 4;
  return unit >= 0xdc00 && unit < 0xe000 ? 0 : 3;
}
