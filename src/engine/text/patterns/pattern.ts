import { SplitPreTokenizer } from "@huggingface/tokenizers";
import { EngineError } from "../../contract/index.ts";
import { clip, isObject } from "../../core/json.ts";
import { whySlow } from "./backtracking.ts";
import { type Matcher, matchLiteral, matchRegex } from "./matching.ts";

/** Longer patterns than any real tokenizer has. */
const MAX_PATTERN_LENGTH = 8192;

/** Refuses a tokenizer for something that we would not read exactly. */
export function refuseTokenizer(what: string, file = "tokenizer.json"): never {
  throw new EngineError(
    "bad-config",
    `${file}: ${what}. Nothing was tokenized, because token boundaries could be wrong.`,
    { file },
  );
}

/**
 * What finds a `{"Regex": …}` or `{"String": …}` of tokenizer.json, or null where it can match nothing
 * (an empty string). The library translates Oniguruma to JavaScript; what it leaves out silently is
 * refused here, and so is a regular expression that could take for ever on some text.
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
  // Without backslashes that are meant, and then without what stands in a class or is escaped.
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

/** The pattern of transformers' ByteLevel, whose \s is Unicode's and not JavaScript's. */
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
