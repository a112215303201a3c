import type { Conditional, Setting, Settings } from "../../contract/index.ts";

const isConditionals = (setting: Setting): setting is readonly Conditional[] =>
  Array.isArray(setting) && setting.some((item) => typeof item === "object");

/** Combines two settings; the first takes precedence where it has a value for a tensor. */
function before(first: Setting, second: Setting | undefined): Setting {
  if (second === undefined) return first;
  // An empty list is no value, as in mergekit.
  if (Array.isArray(first) && first.length === 0) return second;
  if (!isConditionals(first)) return first;
  if (first.some(({ filter }) => filter === undefined || filter === "*")) return first;
  return [
    ...first,
    ...(isConditionals(second) ? second : [{ value: second as Conditional["value"] }]),
  ];
}

/** Settings of an inner level over those of an outer one: of a slice over its recipe's. */
export function overlay(inner: Settings, outer: Settings): Settings {
  const own = Object.entries(inner).map(([name, setting]) => [
    name,
    before(setting, Object.hasOwn(outer, name) ? outer[name] : undefined),
  ]);
  return { ...outer, ...Object.fromEntries(own) };
}
