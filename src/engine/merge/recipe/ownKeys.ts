import { EXTRA_ACTIONS, type ExtraAction, type Recipe } from "../../contract/index.ts";
import { didYouMean } from "./nearest.ts";
import type { KeyReader } from "./recipeKeys.ts";
import { readSetting } from "./recipeSettings.ts";
import type { Entry, YamlText } from "./yamlNodes.ts";

/** Recipe keys beyond mergekit's: what to do where models do not match. */
export const OWN_KEYS = [
  "allow_architecture_mismatch",
  "copy_code",
  "extra_tensors",
  "fill_nan_rows",
] as const;

type OwnSettings = Pick<
  Recipe,
  "allowArchitectureMismatch" | "copyCode" | "extraTensors" | "fillNanRows"
>;

const isAction = (value: unknown): value is ExtraAction =>
  EXTRA_ACTIONS.some((action) => action === value);

function readConsent(yaml: YamlText, { key, value }: Entry): boolean {
  const meant = yaml.scalar(value)?.value;
  if (typeof meant === "boolean") return meant;
  return yaml.refuse(value, `"${key}" must be true or false.`, key);
}

/** `extra_tensors: leave_out`, or entries with a filter and a value as any parameter has. */
function readExtra(keys: KeyReader, entry: Entry): Recipe["extraTensors"] {
  const { key, keyAt } = entry;
  const setting = readSetting(keys, entry);
  const entries = Array.isArray(setting) ? setting : [{ value: setting }];
  return entries.map((each: unknown) => {
    const { filter, value } = each as { readonly filter?: string; readonly value: unknown };
    if (!isAction(value)) {
      const word = String(value);
      keys.yaml.refuse(
        keyAt,
        `"${key}" takes ${EXTRA_ACTIONS.join(", ")}, or a list of entries such as {filter: "mtp.*", value: leave_out}; "${word}" is none of these.${didYouMean(word, EXTRA_ACTIONS)}`,
        key,
      );
    }
    return filter === undefined || filter === "*" ? { value } : { filter, value };
  });
}

/** Settings under these keys, where the recipe has them. */
export function readOwnKeys(
  keys: KeyReader,
  given: (key: string) => Entry | undefined,
): OwnSettings {
  const consents = (key: (typeof OWN_KEYS)[number]): boolean => {
    const entry = given(key);
    return entry !== undefined && readConsent(keys.yaml, entry);
  };
  const extra = given("extra_tensors");
  const extraTensors = extra && readExtra(keys, extra);
  return {
    ...(consents("allow_architecture_mismatch") && { allowArchitectureMismatch: true as const }),
    ...(consents("copy_code") && { copyCode: true as const }),
    ...(extraTensors && { extraTensors }),
    ...(consents("fill_nan_rows") && { fillNanRows: true as const }),
  };
}

/** Action for a tensor that only some models have; null where the recipe states none. */
export function extraAction({ extraTensors }: Recipe, tensor: string): ExtraAction | null {
  return extraTensors?.find(({ filter }) => matchesFilter(filter, tensor))?.value ?? null;
}

/** Whether a tensor's name contains the filter; a filter with `*` must match the whole name. */
function matchesFilter(filter: string | undefined, tensor: string): boolean {
  if (filter === undefined) return true;
  const parts = filter.split("*");
  if (parts.length === 1) return tensor.includes(filter);
  const [first = "", ...rest] = parts;
  const last = rest.pop() ?? "";
  if (!tensor.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = tensor.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return tensor.length - last.length >= at && tensor.endsWith(last);
}
