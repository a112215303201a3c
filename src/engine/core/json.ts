/** First problem of a JSON text. */
export interface JsonProblem {
  readonly offset: number;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Phrase that completes "line 3, column 7: …". */
  readonly reason: string;
}

/** One `"key": value` of an object. */
export interface JsonMember {
  /** Keys of the objects around it, outermost first; empty at the top. */
  readonly path: readonly string[];
  readonly key: string;
  /** Index of the key's opening quote. */
  readonly keyStart: number;
  /** Range of the value's characters: [start, end). */
  readonly start: number;
  readonly end: number;
}

interface Rules {
  /** Largest nesting of arrays and objects. */
  readonly maxDepth: number;
  /** JSON.parse keeps the last of equal keys, which lets two readers disagree about one file. */
  readonly duplicateKeys: "refuse" | "allow";
  readonly onMember?: (member: JsonMember) => void;
  /** Allows the three constants that Python's json writes beyond JSON, and reports each. */
  readonly onConstant?: (constant: PythonConstant) => void;
}

/** `NaN`, `Infinity` or `-Infinity` in the text. */
interface PythonConstant {
  readonly start: number;
  readonly end: number;
}

class Stop extends Error {
  readonly offset: number;
  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const CONSTANT = /NaN|-?Infinity/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * First problem of a JSON text by its grammar, or null. JavaScript engines differ in their errors
 * and positions, and none reports duplicate keys.
 */
export function findJsonProblem(text: string, rules: Rules): JsonProblem | null {
  try {
    const end = skipSpace(text, walkValue(text, skipSpace(text, 0), rules, []));
    if (end < text.length) throw new Stop(end, "more text after the end of the document");
    return null;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const before = text.slice(0, error.offset).split("\n");
    const column = (before.at(-1) ?? "").length + 1;
    return { offset: error.offset, line: before.length, column, reason: error.message };
  }
}

/**
 * Placeholder for NaN while JSON.parse runs: no key or value of a file begins with a control
 * character.
 */
const NAN_MARK = "\u0000NaN";

/**
 * Value of a JSON text that may hold Python's `NaN`, `Infinity` and `-Infinity`; or its first
 * problem.
 */
export function parsePythonJson(
  text: string,
  rules: Omit<Rules, "onConstant">,
): { readonly value: unknown } | { readonly problem: JsonProblem } {
  const constants: PythonConstant[] = [];
  const onConstant = (constant: PythonConstant) => constants.push(constant);
  const problem = findJsonProblem(text, { ...rules, onConstant });
  if (problem) return { problem };
  if (constants.length === 0) return { value: JSON.parse(text) };
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of constants) {
    const word = text.slice(start, end);
    // JSON.parse reads 1e999 as infinity.
    const json = word === "NaN" ? JSON.stringify(NAN_MARK) : word.replace("Infinity", "1e999");
    parts.push(text.slice(at, start), json);
    at = end;
  }
  const json = parts.join("") + text.slice(at);
  const revive = (_: string, value: unknown) => (value === NAN_MARK ? Number.NaN : value);
  return { value: JSON.parse(json, revive) };
}

function walkValue(text: string, at: number, rules: Rules, path: readonly string[]): number {
  if (path.length > rules.maxDepth) {
    throw new Stop(at, `more than ${rules.maxDepth} levels within each other`);
  }
  const first = text[at];
  if (first === "{") return walkObject(text, at, rules, path);
  if (first === "[") return walkArray(text, at, rules, path);
  if (first === '"') return walkString(text, at);
  const constant = rules.onConstant ? match(CONSTANT, text, at) : null;
  if (constant !== null) {
    rules.onConstant?.({ start: at, end: constant });
    return constant;
  }
  return match(NUMBER, text, at) ?? match(LITERAL, text, at) ?? stopAt(text, at, "a value");
}

function walkObject(text: string, open: number, rules: Rules, path: readonly string[]): number {
  const keys = new Set<string>();
  let at = skipSpace(text, open + 1);
  if (text[at] === "}") return at + 1;
  for (;;) {
    if (text[at] !== '"') stopAt(text, at, 'a key in "quotes"');
    const keyStart = at;
    const keyEnd = walkString(text, at);
    const raw = text.slice(at + 1, keyEnd - 1);
    const key: string = raw.includes("\\") ? JSON.parse(`"${raw}"`) : raw;
    if (rules.duplicateKeys === "refuse" && keys.has(key)) {
      throw new Stop(at, `the key ${clip(key)} is there twice`);
    }
    keys.add(key);
    at = skipSpace(text, keyEnd);
    if (text[at] !== ":") stopAt(text, at, '":"');
    const start = skipSpace(text, at + 1);
    const end = walkValue(text, start, rules, [...path, key]);
    rules.onMember?.({ path, key, keyStart, start, end });
    at = skipSpace(text, end);
    if (text[at] === "}") return at + 1;
    if (text[at] !== ",") stopAt(text, at, '"," or "}"');
    at = skipSpace(text, at + 1);
  }
}

function walkArray(text: string, open: number, rules: Rules, path: readonly string[]): number {
  const inside = [...path, "[]"];
  let at = skipSpace(text, open + 1);
  if (text[at] === "]") return at + 1;
  for (;;) {
    at = skipSpace(text, walkValue(text, at, rules, inside));
    if (text[at] === "]") return at + 1;
    if (text[at] !== ",") stopAt(text, at, '"," or "]"');
    at = skipSpace(text, at + 1);
  }
}

function walkString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < 0x20) throw new Stop(at, "a control character inside a string");
    if (code !== BACKSLASH) continue;
    const end = match(ESCAPE, text, at);
    if (end === null) throw new Stop(at, "an escape that JSON does not have");
    at = end - 1;
  }
  throw new Stop(text.length, "a string without its closing quote");
}

function skipSpace(text: string, from: number): number {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
  }
}

function match(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}

function stopAt(text: string, at: number, expected: string): never {
  const found = at < text.length ? JSON.stringify(text[at]) : "the end of the text";
  throw new Stop(at, `expected ${expected}, found ${found}`);
}

/** Name from a file in quotes, shortened to fit a sentence. */
export function clip(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 119)}…` : name);
}

/** A sentence without the middle of what it quotes of a file, where that is too long to be read. */
export const shorten = (sentence: string): string =>
  sentence.length > 1000 ? `${sentence.slice(0, 700)} … ${sentence.slice(-250)}` : sentence;

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
