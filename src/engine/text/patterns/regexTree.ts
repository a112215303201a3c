/** Syntax tree of a regular expression, by code points. */
export type RegexTree =
  /** `source` is a letter, an escape or a class, as written. */
  | { readonly kind: "letter"; readonly source: string }
  /** Parts in sequence; empty for an anchor. */
  | { readonly kind: "sequence"; readonly parts: readonly RegexTree[] }
  | { readonly kind: "choice"; readonly parts: readonly RegexTree[] }
  /** `max` may be Infinity. */
  | { readonly kind: "loop"; readonly body: RegexTree; readonly min: number; readonly max: number }
  /** A lookahead or lookbehind. */
  | { readonly kind: "look"; readonly body: RegexTree };

/** Error for a feature that cannot be analysed, or for too large a pattern. */
export class RegexRefusal extends Error {}

const EMPTY: RegexTree = { kind: "sequence", parts: [] };
const MAX_DEPTH = 64;

const ESCAPE = /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|.)/suy;
const CLASS = /\[(?:\\.|[^\]\\])*\]/suy;
const GROUP = /\((?:\?(?:<?[=!]|<[^>]*>|[a-z-]*:))?/uy;
const QUANTIFIER = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/uy;
const LETTER = /./suy;

/**
 * Parses the source of a valid JavaScript regular expression with the flag `u`. Throws
 * `RegexRefusal` for backreferences and for more than 64 nested groups.
 */
export function parseRegex(source: string): RegexTree {
  let at = 0;

  function take(form: RegExp): RegExpExecArray | null {
    form.lastIndex = at;
    const found = form.exec(source);
    if (found) at = form.lastIndex;
    return found;
  }

  function readChoice(depth: number): RegexTree {
    if (depth > MAX_DEPTH) throw new RegexRefusal(`nests more than ${MAX_DEPTH} groups`);
    const parts = [readSequence(depth)];
    while (source[at] === "|") {
      at++;
      parts.push(readSequence(depth));
    }
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  }

  function readSequence(depth: number): RegexTree {
    const parts: RegexTree[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") {
      parts.push(readQuantified(readAtom(depth)));
    }
    return { kind: "sequence", parts };
  }

  function readAtom(depth: number): RegexTree {
    const group = take(GROUP);
    if (group) {
      const body = readChoice(depth + 1);
      at++; // the closing bracket
      return /^\(\?<?[=!]/.test(group[0]) ? { kind: "look", body } : body;
    }
    if (source[at] === "^" || source[at] === "$") {
      at++;
      return EMPTY;
    }
    const [letter] = take(ESCAPE) ?? take(CLASS) ?? take(LETTER)!;
    if (letter === "\\b" || letter === "\\B") return EMPTY;
    if (/^\\[1-9k]/.test(letter)) throw new RegexRefusal("refers back to a group");
    return { kind: "letter", source: letter };
  }

  function readQuantified(body: RegexTree): RegexTree {
    const found = take(QUANTIFIER);
    if (!found) return body;
    const [text, least, comma, most] = found;
    if (least === undefined) {
      return {
        kind: "loop",
        body,
        min: text[0] === "+" ? 1 : 0,
        max: text[0] === "?" ? 1 : Infinity,
      };
    }
    const min = Number(least);
    return { kind: "loop", body, min, max: !comma ? min : most ? Number(most) : Infinity };
  }

  return readChoice(0);
}
