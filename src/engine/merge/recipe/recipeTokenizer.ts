import type { RecipeToken, RecipeTokenizer, TokenSource } from "../../contract/index.ts";
import { readModelName } from "./recipeInputs.ts";
import type { KeyReader } from "./recipeKeys.ts";
import type { Entry } from "./yamlNodes.ts";

/** Largest number of tokens with settings of their own. */
const TOKEN_LIMIT = 10_000;

/** Source of a token's row: a model, another token of one, or zeros. */
function readTokenSource(keys: KeyReader, { value, keyAt }: Entry): TokenSource | undefined {
  const { yaml } = keys;
  if (yaml.scalar(value)?.value === null) return undefined;
  const entries = yaml.entries(value);
  const part = (key: string) => entries?.find((entry) => entry.key === key);
  const kind = part("kind");
  if (!kind) return { kind: "model", model: readModelName(keys, value) };
  const word = yaml.scalar(kind.value)?.text;
  if (word === "zero") return { kind: "zero" };
  const model = part("model");
  const token = part("token");
  const id = part("token_id");
  if (word !== "model_token" || !model || (token === undefined) === (id === undefined)) {
    const sentence = `a token's "source" is a model, {kind: zero}, or {kind: model_token} with "model" and either "token" or "token_id".`;
    return yaml.refuse(keyAt, sentence, "source");
  }
  const name = readModelName(keys, model.value);
  if (token) return { kind: "token", model: name, token: yaml.scalar(token.value)?.text ?? "" };
  const number = yaml.scalar(id!.value)?.value;
  if (!Number.isSafeInteger(number) || Number(number) < 0) {
    return yaml.refuse(id!.value, `"token_id" must be a whole number.`, "token_id");
  }
  return { kind: "token", model: name, token: Number(number) };
}

function readToken(keys: KeyReader, entry: Entry): RecipeToken {
  const { yaml, take } = keys;
  const { key: token, keyAt, value } = entry;
  const entries = yaml.entries(value);
  if (!entries) {
    if (yaml.scalar(value)?.value === null) return { token };
    return yaml.refuse(keyAt, `a token has a "source" and "force".`, "tokens");
  }
  const known = take(entries, ["source", "force"], `the token "${token}"`);
  const stated = known.get("source");
  const source = stated && readTokenSource(keys, stated);
  const force = known.get("force");
  const forced = force ? yaml.scalar(force.value)?.value : false;
  if (force && typeof forced !== "boolean") {
    yaml.refuse(force.value, `"force" must be true or false.`, "force");
  }
  return { token, ...(source && { source }), ...(forced === true && { force: true as const }) };
}

function readBlock(keys: KeyReader, block: Entry): RecipeTokenizer {
  const { yaml, take } = keys;
  const entries =
    yaml.entries(block.value) ??
    yaml.refuse(block.value, `"tokenizer" must be a mapping with a "source".`, "tokenizer");
  const known = take(entries, ["source", "tokens", "pad_to_multiple_of"], `"tokenizer"`);
  const given = (key: string) => {
    const entry = known.get(key);
    return entry && yaml.scalar(entry.value)?.value !== null ? entry : undefined;
  };
  const [source, tokens, padding] = ["source", "tokens", "pad_to_multiple_of"].map(given);
  const listed = tokens && yaml.entries(tokens.value);
  if (tokens && (!listed || listed.length > TOKEN_LIMIT)) {
    const sentence = `"tokens" must be a mapping of at most ${TOKEN_LIMIT} tokens.`;
    yaml.refuse(tokens.keyAt, sentence, "tokens");
  }
  const multiple = padding && yaml.scalar(padding.value)?.value;
  if (padding && !(Number.isSafeInteger(multiple) && Number(multiple) >= 0)) {
    const sentence = `"pad_to_multiple_of" must be a whole number.`;
    yaml.refuse(padding.value, sentence, "pad_to_multiple_of");
  }
  return {
    source: source ? readModelName(keys, source.value) : "union",
    ...(listed && listed.length > 0 && { tokens: listed.map((token) => readToken(keys, token)) }),
    ...(Number(multiple) > 0 && { padToMultipleOf: Number(multiple) }),
  };
}

/** Vocabulary that the recipe asks for; undefined where it states none. */
export function readTokenizer(
  keys: KeyReader,
  given: (key: string) => Entry | undefined,
): RecipeTokenizer | undefined {
  const source = given("tokenizer_source");
  const block = given("tokenizer");
  if (source && block) {
    const sentence = `"tokenizer" and "tokenizer_source" exclude each other.`;
    keys.yaml.refuse(block.keyAt, sentence, "tokenizer");
  }
  if (source) return { source: readModelName(keys, source.value) };
  return block && readBlock(keys, block);
}
