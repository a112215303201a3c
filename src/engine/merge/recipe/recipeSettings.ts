import type { Node } from "yaml";
import type { Conditional, Level, Scalar, Setting, Settings } from "../../contract/index.ts";
import { didYouMean } from "./nearest.ts";
import type { KeyReader } from "./recipeKeys.ts";
import { readNumber } from "./scalar.ts";
import type { Entry, YamlText } from "./yamlNodes.ts";

/** Longest list in a recipe: more than any model has layers. */
const LIST_LIMIT = 10_000;

/** One number, word or boolean; infinite numbers and empty values are refused. */
function readLevelScalar(yaml: YamlText, at: Node | null, key: string): Scalar | undefined {
  const scalar = yaml.scalar(at);
  if (!scalar) return undefined;
  const { value, text } = scalar;
  if (value === null) return yaml.refuse(at, `"${key}" has no value.`, key);
  if (typeof value === "number" && !Number.isFinite(value)) {
    return yaml.refuse(at, `"${key}" is ${text}, which is not a finite number.`, key);
  }
  return value;
}

/** A list of plain values: numbers make a gradient, words make patterns. */
function readWords(
  yaml: YamlText,
  items: readonly (Node | null)[],
  key: string,
): readonly number[] | readonly string[] {
  const words = items.map((item) => readLevelScalar(yaml, item, key));
  const strange = words.indexOf(undefined);
  if (strange !== -1) {
    yaml.refuse(items[strange] ?? null, `"${key}" mixes values with other things.`, key);
  }
  if (words.length > 0 && words.every((word) => typeof word === "string")) return words;
  const numbers = words.map((word) => {
    if (typeof word === "string") return readNumber(word.trim()) ?? Number.NaN;
    return Number(word);
  });
  const word = numbers.findIndex(Number.isNaN);
  if (word !== -1) {
    yaml.refuse(items[word] ?? null, `"${key}" mixes numbers with "${words[word]}".`, key);
  }
  return numbers;
}

/** Reads a mapping's keys, and says or refuses those that are unknown. */
export type SettingKeys = Pick<KeyReader, "yaml" | "take">;

function readConditional(keys: SettingKeys, entries: readonly Entry[], key: string): Conditional {
  const { yaml } = keys;
  const names = ["filter", "value"];
  const known = keys.take(entries, names, `an entry of "${key}"`);
  const value = known.get("value");
  if (!value) {
    const stray = entries.find((entry) => !names.includes(entry.key));
    const hint = stray ? didYouMean(stray.key, names) : "";
    return yaml.refuse(entries[0]?.keyAt ?? null, `"${key}" has no value here.${hint}`, key);
  }
  const list = yaml.items(value.value);
  const level: Level | undefined = list
    ? readWords(yaml, list, key).map((word) =>
        typeof word === "number"
          ? word
          : (readNumber(word.trim()) ??
            yaml.refuse(value.value, `"${key}" lists words where numbers must stand.`, key)),
      )
    : readLevelScalar(yaml, value.value, key);
  if (level === undefined) {
    return yaml.refuse(value.value, `"${key}" needs a number, a word or a list here.`, key);
  }
  const filter = known.get("filter");
  const text = filter && yaml.scalar(filter.value);
  if (filter && !text) yaml.refuse(filter.value, `"filter" must be a part of a name.`, key);
  return text && text.value !== null ? { filter: text.text, value: level } : { value: level };
}

/** One parameter: a scalar, a gradient, a list of filters or patterns. */
export function readSetting(keys: SettingKeys, { key, keyAt, value }: Entry): Setting {
  const { yaml } = keys;
  const items = yaml.items(value);
  if (!items) {
    const alone = yaml.entries(value);
    if (alone) return [readConditional(keys, alone, key)];
    return readLevelScalar(yaml, value, key) ?? yaml.refuse(keyAt, `"${key}" has no value.`, key);
  }
  if (items.length > LIST_LIMIT) {
    return yaml.refuse(keyAt, `"${key}" lists ${items.length} values.`, key);
  }
  const maps = items.map((item) => yaml.entries(item));
  if (!maps.some((map) => map !== null)) return readWords(yaml, items, key);
  return maps.map((map, i) =>
    map
      ? readConditional(keys, map, key)
      : yaml.refuse(items[i] ?? null, `"${key}" mixes values with filtered entries.`, key),
  );
}

/** A mapping of parameters, each a scalar, a gradient, a list of filters or patterns. */
export function readSettings(keys: SettingKeys, at: Node | null, key = "parameters"): Settings {
  const { yaml } = keys;
  const entries = yaml.entries(at);
  if (!entries) {
    if (yaml.scalar(at)?.value === null) return {};
    return yaml.refuse(at, `"${key}" must be a mapping of names to values.`, key);
  }
  // fromEntries defines own properties, so a parameter called __proto__ is harmless.
  return Object.fromEntries(entries.map((entry) => [entry.key, readSetting(keys, entry)]));
}
