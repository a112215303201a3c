import { invariant } from "../../core/invariant.ts";

/**
 * Where n tokens begin and end, as n + 1 boundaries: token i is [b[i], b[i + 1]). So spans are in
 * order, never overlap and leave nothing out; a token that stands for no text of its own (a special
 * token around the text, the space that some vocabularies put in front) has an empty span.
 */
export interface TokenSpans {
  /** In bytes of the text's UTF-8. Exact within characters that are spelled by several tokens. */
  readonly bytes: Uint32Array;
  /** In UTF-16 units, as `slice` counts; a character goes to the token that completes it. */
  readonly chars: Uint32Array;
}

/** Collects where tokens start. Text that nothing starts in belongs to the token before. */
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

  /** A token that starts at a UTF-16 unit of the original, `byteIndex` bytes into its character. */
  add(char: number, byteIndex: number): void {
    // Text that was removed at the very beginning goes to the first token.
    const start = this.#textBegun ? char : 0;
    this.#textBegun = true;
    this.#advance(start);
    this.#chars.push(start);
    this.#bytes.push(this.#byte + (start === char ? byteIndex : 0));
  }

  /** A token around the text. */
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

/** Bytes that a unit adds to the text's UTF-8; the first of a pair adds all four. */
function utf8Length(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  if (unit >= 0xd800 && unit < 0xdc00) return 4;
  return unit >= 0xdc00 && unit < 0xe000 ? 0 : 3;
}
