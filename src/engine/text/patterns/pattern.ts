import { SplitPreTokenizer } from "@huggingface/tokenizers";
import { EngineError } from "../../contract/index.ts";
import { clip, isObject } from "../../core/json.ts";
import { whySlow } from "./backtracking.ts";
import { type Matcher, matchLiteral, matchRegex } from "./matching.ts";

/** Longest pattern, above any real tokenizer's. */
const MAX_PATTERN_LENGTH = 8192;

/** Refuses a tokenizer with a feature that is not reproduced exactly. */
export function refuseTokenizer(what: string, file = "tokenizer.json"): never {
  throw new EngineError(
    "bad-config",
    `${file}: ${what}. Nothing was tokenized, because token boundaries could be wrong.`,
    { file },
  );
}

/**
 * Matcher of a `{"Regex": …}` or `{"String": …}` in tokenizer.json; null for an empty string. The
 * library translates Oniguruma to JavaScript; what it drops silently is refused here, and so are
 * expressions that could take exponential time.
 */
export function compilePattern(pattern: unknown): Matcher | null {
  if (isObject(pattern) && typeof pattern.String === "string") {
    bound(pattern.String);
    return pattern.String === "" ? null : matchLiteral(pattern.String);
  }
  if (!isObject(pattern) || typeof pattern.Regex !== "string") {
    refuseTokenizer(
      `a pattern must be a "Regex" or a "String", not ${clip(JSON.stringify(pattern))}`,
    );
  }
  const source = pattern.Regex;
  bound(source);
  // First without escaped backslashes, then without classes and escapes.
  const bare = source.replace(/\\\\/g, "");
  const unlike =
    /\\G|\(\?>|\\[XRKN]|\(\?[imx-]*[mx-][imx-]*[:)]|\(\?i\)/.exec(bare) ??
    /[*+?]\+/.exec(bare.replace(/\\./g, "").replace(/\[[^\]]*\]/g, "x"));
  if (unlike) {
    refuseTokenizer(
      `the pattern ${clip(source)} uses ${clip(unlike[0])}, which regular expressions of a browser do not have`,
    );
  }
  const regex = translate(source);
  const slow = whySlow(regex.source);
  if (slow) {
    refuseTokenizer(`the pattern ${clip(source)} ${slow}, and could take for ever on some text`);
  }
  return matchRegex(regex, () =>
    refuseTokenizer(`the pattern ${clip(source)} takes too long on this text`),
  );
}

/** Pattern of transformers' ByteLevel, whose \s is Unicode's and not JavaScript's. */
export const BYTE_LEVEL_PATTERN = {
  Regex: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
} as const;

function translate(source: string): RegExp {
  try {
    const { pattern } = new SplitPreTokenizer({
      type: "Split",
      pattern: { Regex: source },
      behavior: "Isolated",
    });
    if (pattern) return pattern;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return refuseTokenizer(`the pattern ${clip(source)} is no regular expression that we can read`);
}

function bound(pattern: string): void {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    refuseTokenizer(
      `a pattern has ${pattern.length} characters; ${MAX_PATTERN_LENGTH} are allowed`,
    );
  }
}
