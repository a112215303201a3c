import { clip, isObject } from "../../core/json.ts";
import { refuseTokenizer } from "../patterns/pattern.ts";
import { isTokenId } from "./bpe.ts";
import { StepCount } from "./stepCount.ts";

/** Ids before and after a text. */
export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const NONE: Surroundings = { before: [], after: [] };
const MAX_ITEMS = 64;

/** Post-processor of a tokenizer.json, as far as it adds tokens to one text. */
export function compileSurroundings(
  entry: unknown,
  count = new StepCount("post_processor"),
): Surroundings {
  if (entry === null || entry === undefined) return NONE;
  if (!isObject(entry)) return refuseTokenizer("its post_processor is malformed");
  count.add();
  switch (entry.type) {
    case "ByteLevel":
      return NONE; // it only trims offsets
    case "Sequence": {
      const steps: readonly unknown[] = Array.isArray(entry.processors) ? entry.processors : [];
      return steps
        .map((step) => compileSurroundings(step, count))
        .reduce(
          (inner, outer) => ({
            before: [...outer.before, ...inner.before],
            after: [...inner.after, ...outer.after],
          }),
          NONE,
        );
    }
    case "TemplateProcessing":
      return readTemplate(entry);
    default:
      return refuseTokenizer(
        `its post_processor ${clip(String(entry.type))} is not supported; TemplateProcessing, ByteLevel and Sequence are`,
      );
  }
}

function readTemplate(entry: Readonly<Record<string, unknown>>): Surroundings {
  const items: readonly unknown[] = Array.isArray(entry.single) ? entry.single : [];
  const special = isObject(entry.special_tokens) ? entry.special_tokens : {};
  const text = items.findIndex((item) => isObject(item) && isObject(item.Sequence));
  if (text < 0 || items.length > MAX_ITEMS) {
    return refuseTokenizer("the template of its post_processor has no place for the text");
  }
  const idsOf = (item: unknown): readonly number[] => {
    const name = isObject(item) && isObject(item.SpecialToken) ? item.SpecialToken.id : null;
    const token = typeof name === "string" && Object.hasOwn(special, name) ? special[name] : null;
    const ids = isObject(token) && Array.isArray(token.ids) ? token.ids.slice(0, MAX_ITEMS) : [];
    if (ids.length === 0 || !ids.every(isTokenId)) {
      return refuseTokenizer(`the special token ${clip(String(name))} of its template has no ids`);
    }
    return ids;
  };
  return {
    before: items.slice(0, text).flatMap(idsOf),
    after: items.slice(text + 1).flatMap(idsOf),
  };
}
