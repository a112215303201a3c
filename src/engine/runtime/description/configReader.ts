import type { ModelConfig } from "../../checkpoint/checkpoint.ts";
import { EngineError } from "../../contract/index.ts";
import { isObject } from "../../core/json.ts";

type Fields = Readonly<Record<string, unknown>>;
interface Range {
  readonly min: number;
  readonly max: number;
}

/** Largest size: above any model's, and small enough that products of two are exact. */
const MAX_SIZE = 2 ** 24;

/**
 * Reads config.json field by field; `bad-config` with the field's name for a value that is missing,
 * of the wrong kind or out of range. Of several names, transformers 5's comes first.
 */
export class ConfigReader {
  readonly #fields: readonly Fields[];
  readonly #where: string;

  constructor(fields: readonly Fields[], where = "config.json") {
    this.#fields = fields;
    this.#where = where;
  }

  /** `defaults` replace fields that config.json does not have; a null in it counts as a value. */
  static of({ fields }: ModelConfig, defaults: Fields): ConfigReader {
    const inner = fields.text_config;
    return new ConfigReader([...(isObject(inner) ? [inner] : []), fields, defaults]);
  }

  /** Value of a field, unchecked; null and absent are the same. */
  raw(...names: readonly string[]): unknown {
    for (const name of names) {
      const value = this.#fields.find((fields) => Object.hasOwn(fields, name))?.[name];
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  }

  #refuse(name: string, wanted: string, value: unknown): never {
    const found = value === undefined ? "absent" : (JSON.stringify(value) ?? "").slice(0, 80);
    throw new EngineError(
      "bad-config",
      `${name} in ${this.#where} must be ${wanted}; it is ${found}.`,
      {
        file: "config.json",
        key: name,
      },
    );
  }

  number(names: readonly string[], { min, max }: Range, fallback?: number): number {
    const value = this.raw(...names) ?? fallback;
    if (typeof value === "number" && value >= min && value <= max) return value;
    return this.#refuse(names[0]!, `a number from ${min} to ${max}`, value);
  }

  integer(names: readonly string[], range: Partial<Range> = {}, fallback?: number): number {
    const { min = 1, max = MAX_SIZE } = range;
    const value = this.raw(...names) ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
      return value as number;
    }
    return this.#refuse(names[0]!, `a whole number from ${min} to ${max}`, value);
  }

  /** Number, or null where the field is absent or null. */
  optionalNumber(names: readonly string[], range: Range): number | null {
    return this.raw(...names) === undefined ? null : this.number(names, range);
  }

  boolean(names: readonly string[], fallback: boolean): boolean {
    const value = this.raw(...names) ?? fallback;
    return typeof value === "boolean" ? value : this.#refuse(names[0]!, "true or false", value);
  }

  word(names: readonly string[], fallback: string): string {
    const value = this.raw(...names) ?? fallback;
    return typeof value === "string" ? value : this.#refuse(names[0]!, "a word", value);
  }

  /** Fields of an object; those of an empty one where there is none. */
  object(...names: readonly string[]): ConfigReader {
    const value = this.raw(...names);
    if (value !== undefined && !isObject(value)) return this.#refuse(names[0]!, "an object", value);
    return new ConfigReader([value ?? {}], `${names[0]} of ${this.#where}`);
  }

  /** The same fields, completed by another reader's. */
  orElse(other: ConfigReader): ConfigReader {
    return new ConfigReader([...this.#fields, ...other.#fields], this.#where);
  }

  get isEmpty(): boolean {
    return this.#fields.every((fields) => Object.keys(fields).length === 0);
  }

  /** Exactly `length` numbers, each within the range. */
  numbers(name: string, length: number, { min, max }: Range): readonly number[] {
    const value = this.raw(name);
    const isOne = (item: unknown) => typeof item === "number" && item >= min && item <= max;
    if (Array.isArray(value) && value.length === length && value.every(isOne)) return value;
    return this.#refuse(name, `a list of ${length} numbers from ${min} to ${max}`, value);
  }

  words(name: string, length: number): readonly string[] | null {
    const value = this.raw(name);
    if (value === undefined) return null;
    const fits = Array.isArray(value) && value.length === length;
    if (fits && value.every((item) => typeof item === "string")) return value;
    return this.#refuse(name, `a list of ${length} words`, value);
  }
}
