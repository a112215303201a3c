import { EngineError } from "../../contract/index.ts";
import { clip, isObject } from "../../core/json.ts";

/** A number for the modules whose name matches. */
export interface Pattern {
  readonly pattern: string;
  readonly value: number;
}

const MOST_PATTERNS = 100_000;
const LONGEST_PATTERN = 300;
/**
 * Repetitions within one pattern. Their number bounds a match: with three it takes at most the cube
 * of a name's length in steps, while nested ones, or many, could take forever.
 */
const MOST_REPEATS = 3;
const REPEATED_GROUP = /\)\s*[*+{]/;

/** Reads `rank_pattern` or `alpha_pattern`: numbers by regular expressions, in their order. */
export function readPatterns(stated: unknown, key: string, model: string): readonly Pattern[] {
  if (stated === undefined || stated === null) return [];
  const refuse = (phrase: string) =>
    new EngineError("bad-config", `${key} in adapter_config.json of ${model} ${phrase}.`, {
      model,
      key,
    });
  if (!isObject(stated)) throw refuse("must map names of modules to numbers");
  const entries = Object.entries(stated);
  if (entries.length > MOST_PATTERNS) throw refuse(`has over ${MOST_PATTERNS} entries`);
  return entries.map(([pattern, value]) => {
    if (
      typeof value !== "number" ||
      !Number.isFinite(value) ||
      (key === "rank_pattern" && !(value >= 1))
    ) {
      throw refuse(`has ${JSON.stringify(value).slice(0, 80)} for ${clip(pattern)}`);
    }
    if (!isPlain(pattern) && !isTame(pattern)) {
      throw refuse(
        `has ${clip(pattern)}, a regular expression that is not read: name the modules themselves`,
      );
    }
    return { pattern, value };
  });
}

/**
 * Value of the first pattern that matches a module: as PEFT's get_pattern_key, at its end and from a
 * dot or its beginning on. Null where none does.
 */
export function findPattern(patterns: readonly Pattern[], module: string): number | null {
  return patterns.find(({ pattern }) => matches(pattern, module))?.value ?? null;
}

function matches(pattern: string, module: string): boolean {
  if (isPlain(pattern)) return module === pattern || module.endsWith(`.${pattern}`);
  return new RegExp(`^(.*\\.)?(${pattern})$`).test(module);
}

const isPlain = (pattern: string) => /^[\w.-]+$/.test(pattern) && pattern.length <= LONGEST_PATTERN;

function isTame(pattern: string): boolean {
  const repeats = pattern.replace(/\\./g, "").match(/[*+{?]/g)?.length ?? 0;
  if (pattern.length > LONGEST_PATTERN || repeats > MOST_REPEATS) return false;
  if (REPEATED_GROUP.test(pattern)) return false;
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
}
