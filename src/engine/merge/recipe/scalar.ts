import { EngineError, escapeUnseen, type Scalar } from "../../contract/index.ts";

// The words of YAML 1.1 as PyYAML reads them, since mergekit does. Beyond it, `1e-5` is a number:
// PyYAML wants a dot and a sign there and hands mergekit a string, which it then converts.
const NULL = /^(~|null|Null|NULL|)$/;
const TRUE = /^(yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const DECIMAL = /^[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?$/;
const RADIX = /^([-+]?)0(b[01_]+|x[\da-fA-F_]+|[0-7_]+)$/;
const BASE_60 = /^[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?$/;
const NOT_FINITE = /^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/;
const TIMESTAMP = /^\d{4}-\d\d?-\d\d?/;

/** Number that a plain word spells, or null. Infinity and NaN count as numbers. */
export function readNumber(word: string): number | null {
  const radix = RADIX.exec(word);
  if (radix) {
    const digits = radix[2]!.replaceAll("_", "");
    const value = Number(/^[bx]/.test(digits) ? `0${digits}` : `0o${digits}`);
    return radix[1] === "-" ? -value : value;
  }
  if (DECIMAL.test(word)) return Number(word.replaceAll("_", ""));
  if (NOT_FINITE.test(word)) {
    if (/nan/i.test(word)) return Number.NaN;
    return word.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (BASE_60.test(word)) {
    const [first, ...rest] = word.replace(/^[-+]/, "").replaceAll("_", "").split(":");
    const value = rest.reduce((sum, part) => sum * 60 + Number(part), Number(first));
    return word.startsWith("-") ? -value : value;
  }
  return null;
}

/** Value of an unquoted word of a recipe. */
export function readScalar(word: string): Scalar | null {
  if (NULL.test(word)) return null;
  if (TRUE.test(word)) return true;
  if (FALSE.test(word)) return false;
  return readNumber(word) ?? word;
}

/** Whether YAML reads the unquoted word as that same string. */
function isPlain(word: string): boolean {
  return (
    /^[\p{L}\d_./][\p{L}\d_./@+-]*( [\p{L}\d_./@+-]+)*$/u.test(word) &&
    typeof readScalar(word) === "string" &&
    !TIMESTAMP.test(word) &&
    !/^(\.|=|y|Y|n|N|---|\.\.\.)$/.test(word)
  );
}

/** String in YAML, JSON-quoted where needed; always one line. */
export function formatString(text: string): string {
  if (isPlain(text)) return text;
  // JSON leaves some as they are; YAML readers refuse them, take them for line ends or hide them.
  return escapeUnseen(JSON.stringify(text.toWellFormed()));
}

/**
 * Scalar in YAML 1.1 that reads back as the same value: floats as 1.0e-07, words quoted where
 * needed.
 */
export function formatScalar(value: Scalar): string {
  if (typeof value === "string") return formatString(value);
  if (typeof value === "boolean") return String(value);
  if (!Number.isFinite(value)) {
    throw new EngineError("bad-recipe", `A recipe cannot hold the number ${value}.`, { value });
  }
  if (Object.is(value, -0)) return "-0.0";
  const [mantissa, exponent] = String(value).split("e") as [string, string?];
  if (exponent === undefined) return mantissa;
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}e${exponent}`;
}
