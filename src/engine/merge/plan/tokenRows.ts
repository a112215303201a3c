import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { type ByteSource, readAll } from "../../core/bytes.ts";
import { isObject, parsePythonJson } from "../../core/json.ts";

/** How many rows of a model's embedding stand for something. */
export interface TokenRows {
  /** One more than the highest id that has a row. */
  readonly rows: number;
  /** True where the whole tokenizer was read: rows behind `rows` are spare, such as padding. */
  readonly whole: boolean;
}

/** The largest tokenizer.json in use is about a third of this. */
const FILE_LIMIT = 64 * 2 ** 20;
const RULES = { maxDepth: 64, duplicateKeys: "allow" } as const;

async function readJson(source: ByteSource | undefined): Promise<unknown> {
  if (!source || source.byteLength > FILE_LIMIT) return null;
  const text = new TextDecoder().decode(await readAll(source, FILE_LIMIT));
  const read = parsePythonJson(text, RULES);
  return "value" in read ? read.value : null;
}

/** The ids of a tokenizer.json: its vocabulary, whose places are the ids where it is a list, and added tokens. */
function idsOfTokenizer(document: unknown): unknown[] | null {
  if (!isObject(document) || !isObject(document.model)) return null;
  const { vocab } = document.model;
  const ids: unknown[] | null = Array.isArray(vocab)
    ? [vocab.length - 1]
    : isObject(vocab)
      ? Object.values(vocab)
      : null;
  const added = Array.isArray(document.added_tokens) ? document.added_tokens : [];
  for (const token of added) if (isObject(token)) ids?.push(token.id);
  return ids;
}

/** `eos_token_id: 2`, `image_token_id`, `begin_suppress_token_ids: [1, 2]` of a config. */
function idsOfConfig(config: unknown): unknown[] {
  if (!isObject(config)) return [];
  const stated = [config, ...[config.text_config].filter(isObject)].flatMap(Object.entries);
  return stated.flatMap(([key, value]): unknown[] => {
    if (!/_token_ids?$|_token_index$/.test(key)) return [];
    return Array.isArray(value) ? value : [value];
  });
}

/**
 * How many of a model's `rows` its tokenizer and the ids of config.json and generation_config.json
 * call for. An id that has no row in the model itself is not counted. Null where no file tells.
 */
export async function readTokenRows(
  { files, config }: Checkpoint,
  rows: number,
): Promise<TokenRows | null> {
  const read = (path: string) => readJson(files.get(path));
  const tokenizer = idsOfTokenizer(await read("tokenizer.json"));
  const vocabulary = tokenizer ? null : await read("vocab.json");
  const added = await read("added_tokens.json");
  const settings = await read("tokenizer_config.json");
  const decoder = isObject(settings) ? settings.added_tokens_decoder : null;
  const sources: readonly (readonly unknown[])[] = [
    tokenizer ?? [],
    isObject(vocabulary) ? Object.values(vocabulary) : [],
    isObject(added) ? Object.values(added) : [],
    isObject(decoder) ? Object.keys(decoder).map(Number) : [],
    idsOfConfig(config?.fields),
    idsOfConfig(await read("generation_config.json")),
  ];
  let highest = -1;
  for (const ids of sources) {
    for (const id of ids) {
      if (typeof id === "number" && id < rows && id > highest) highest = id;
    }
  }
  const whole = tokenizer !== null || isObject(vocabulary);
  return highest < 0 && !whole ? null : { rows: Math.floor(highest) + 1, whole };
}
