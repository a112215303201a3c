import type { KeyReader } from "./recipeKeys.ts";
import type { Entry } from "./yamlNodes.ts";

/**
 * Vocabulary that the recipe asks for: `union`, `base` or a model; undefined where it states none.
 * `bad-recipe` for options that the studio does not support.
 */
export function readTokenizer(
  { yaml, take }: KeyReader,
  given: (key: string) => Entry | undefined,
): string | undefined {
  const source = given("tokenizer_source");
  const block = given("tokenizer");
  if (source && block) {
    yaml.refuse(block.keyAt, `"tokenizer" and "tokenizer_source" exclude each other.`, "tokenizer");
  }
  if (source) return yaml.scalar(source.value)?.text;
  if (!block) return undefined;
  const entries =
    yaml.entries(block.value) ??
    yaml.refuse(block.value, `"tokenizer" must be a mapping with a "source".`, "tokenizer");
  const known = take(entries, ["source", "tokens", "pad_to_multiple_of"], `"tokenizer"`);
  for (const key of ["tokens", "pad_to_multiple_of"]) {
    const entry = known.get(key);
    if (!entry || yaml.scalar(entry.value)?.value === null) continue;
    yaml.refuse(entry.keyAt, `"${key}" of a tokenizer is not supported yet.`, key);
  }
  const stated = known.get("source");
  return stated ? yaml.scalar(stated.value)?.text : "union";
}
