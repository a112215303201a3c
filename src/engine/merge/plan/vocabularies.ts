import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Finding } from "../../contract/index.ts";
import { readAll } from "../../core/bytes.ts";

/** The largest tokenizer.json in use is about a third of this. */
const TOKENIZER_LIMIT = 64 * 2 ** 20;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

async function readTokenizer({ files }: Checkpoint): Promise<Uint8Array | null> {
  const source = files.get("tokenizer.json");
  if (!source || source.byteLength > TOKENIZER_LIMIT) return null;
  return readAll(source, TOKENIZER_LIMIT);
}

/** The id of every token that a tokenizer.json lists; null where it is none. */
function readVocabulary(bytes: Uint8Array): ReadonlyMap<string, number> | null {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  if (!isObject(document) || !isObject(document.model)) return null;
  const ids = new Map<string, number>();
  const { vocab } = document.model;
  if (Array.isArray(vocab)) {
    // Unigram: [token, score], the id is the place.
    for (const [id, entry] of vocab.entries()) {
      if (Array.isArray(entry) && typeof entry[0] === "string") ids.set(entry[0], id);
    }
  } else if (isObject(vocab)) {
    for (const [token, id] of Object.entries(vocab)) if (typeof id === "number") ids.set(token, id);
  } else {
    return null;
  }
  const added = Array.isArray(document.added_tokens) ? document.added_tokens : [];
  for (const token of added) {
    if (isObject(token) && typeof token.content === "string" && typeof token.id === "number") {
      ids.set(token.content, token.id);
    }
  }
  return ids;
}

function describeDifference(
  [mine, template]: readonly [ReadonlyMap<string, number>, string],
  [theirs, other]: readonly [ReadonlyMap<string, number>, string],
): string | null {
  let moved = 0;
  let example: string | null = null;
  for (const [token, id] of theirs) {
    const own = mine.get(token);
    if (own === undefined || own === id) continue;
    moved += 1;
    example ??= `${JSON.stringify(token).slice(0, 60)} is ${id} there and ${own} in "${template}"`;
  }
  const missing = [...theirs.keys()].filter((token) => !mine.has(token)).length;
  const lacking = [...mine.keys()].filter((token) => !theirs.has(token)).length;
  if (moved === 0 && missing === 0 && lacking === 0) return null;
  const counts = [
    moved > 0 ? `${moved} tokens have other ids (${example})` : "",
    missing > 0 ? `${missing} tokens are not in "${template}"` : "",
    lacking > 0 ? `${lacking} tokens are only in "${template}"` : "",
  ].filter((part) => part !== "");
  return `The vocabulary of "${other}" differs: ${counts.join(", ")}. Rows are merged by id, whatever token they stand for; the result gets the tokenizer of "${template}".`;
}

/**
 * One warning for each model whose tokens have other ids than the first model's. Equal files are not
 * parsed; models without a tokenizer.json are not compared.
 */
export async function compareVocabularies(
  checkpoints: readonly Checkpoint[],
): Promise<readonly Finding[]> {
  const [template, ...others] = checkpoints;
  const mine = template && (await readTokenizer(template));
  if (!template || !mine) return [];
  let parsed: ReadonlyMap<string, number> | null = null;
  const findings: Finding[] = [];
  for (const other of others) {
    const theirs = await readTokenizer(other);
    if (!theirs) continue;
    if (theirs.length === mine.length && theirs.every((byte, i) => byte === mine[i])) continue;
    parsed ??= readVocabulary(mine);
    const vocabulary = readVocabulary(theirs);
    if (!parsed || !vocabulary) continue;
    const message = describeDifference([parsed, template.name], [vocabulary, other.name]);
    if (message === null) continue;
    findings.push({ severity: "warning", code: "mismatch", message, model: other.name });
  }
  return findings;
}
