import { EngineError } from "../../contract/index.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { isObject } from "../../core/json.ts";
import { readParquet } from "./datasetParquet.ts";
import { type DatasetRow, RowProblem, readRow } from "./datasetRows.ts";
import {
  MAX_ROW_CHARS,
  type Piece,
  readDocuments,
  readElements,
  readLines,
  readText,
} from "./datasetText.ts";

export type { DatasetRow } from "./datasetRows.ts";

export type DatasetFormat = "jsonl" | "json" | "parquet" | "text";

/** One row, or why it was not read. `at` counts lines of JSONL, and rows elsewhere, from 1. */
export type DatasetEntry =
  | { readonly at: number; readonly row: DatasetRow }
  | { readonly at: number; readonly problem: string };

/** What a dataset holds, as a list shows it. */
export interface DatasetSummary {
  readonly format: DatasetFormat;
  readonly texts: number;
  readonly chats: number;
  /** Rows that could not be read, by reason, the most frequent first. */
  readonly problems: readonly {
    readonly reason: string;
    readonly count: number;
    readonly firstAt: number;
  }[];
}

const LIST_KEYS = ["data", "rows", "train", "examples"];
const HEAD_BYTES = 64 << 10;
/** Reasons that differ in a name would otherwise fill the memory. */
const MAX_REASONS = 100;

/** The format of a file, told from its first bytes and its name. `usage` for a packed file. */
export async function detectFormat(source: ByteSource, name: string): Promise<DatasetFormat> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.byteLength));
  const starts = (...bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x50, 0x41, 0x52, 0x31)) return "parquet";
  const packed = starts(0x1f, 0x8b) || starts(0x28, 0xb5, 0x2f, 0xfd) || starts(0x50, 0x4b, 3, 4);
  if (packed || starts(0xff, 0xfe) || starts(0xfe, 0xff)) {
    const what = packed ? "packed: unpack it first" : "UTF-16: save it as UTF-8";
    throw new EngineError("usage", `${name} is ${what}.`, { file: name });
  }
  if (/\.(txt|md|text)$/i.test(name)) return "text";
  const text = new TextDecoder().decode(head).trimStart();
  if (text.startsWith("[")) return "json";
  if (!text.startsWith("{")) return /\.(jsonl|ndjson|json)$/i.test(name) ? "jsonl" : "text";
  if (!/\.json$/i.test(name)) return "jsonl";
  return parse(text.split("\n")[0]!) === undefined ? "json" : "jsonl";
}

/**
 * The rows of a dataset, in order, with what could not be read in its place. Memory is bounded by
 * the longest row (16 Mi characters; Parquet: a row group). `usage` and `bad-header` for files that
 * cannot be read at all.
 */
export async function* readDataset(
  source: ByteSource,
  name: string,
): AsyncGenerator<DatasetEntry, void> {
  const format = await detectFormat(source, name);
  if (format === "parquet") {
    let at = 0;
    for await (const value of readParquet(source, name)) yield* entriesOf(++at, value);
    return;
  }
  for await (const { at, text } of readPieces(source, format)) {
    if (text === null) yield { at, problem: `longer than ${MAX_ROW_CHARS} characters` };
    else if (format === "text") yield* entriesOf(at, text);
    else {
      const value = parse(text);
      if (value === undefined) yield { at, problem: "no JSON" };
      else yield* entriesOf(at, value);
    }
  }
}

/** Reads a dataset once and counts: what is there, and what could not be read and why. */
export async function summarizeDataset(source: ByteSource, name: string): Promise<DatasetSummary> {
  const counts = { text: 0, chat: 0 };
  const reasons = new Map<string, { count: number; firstAt: number }>();
  for await (const entry of readDataset(source, name)) {
    if ("row" in entry) {
      counts[entry.row.kind]++;
      continue;
    }
    const known = reasons.has(entry.problem) || reasons.size < MAX_REASONS;
    const reason = known ? entry.problem : "other reasons";
    const found = reasons.get(reason) ?? { count: 0, firstAt: entry.at };
    reasons.set(reason, { ...found, count: found.count + 1 });
  }
  const problems = [...reasons].map(([reason, found]) => ({ reason, ...found }));
  return {
    format: await detectFormat(source, name),
    texts: counts.text,
    chats: counts.chat,
    problems: problems.sort((a, b) => b.count - a.count),
  };
}

function* entriesOf(at: number, value: unknown): Generator<DatasetEntry> {
  const rows = readRow(value);
  if (rows instanceof RowProblem) yield { at, problem: rows.reason };
  else for (const row of rows) yield isWhole(row) ? { at, row } : { at, problem: NOT_WHOLE };
}

const NOT_WHOLE = "a text that is no UTF-8, or with half a character (a lone surrogate)";

function isWhole(row: DatasetRow): boolean {
  if (row.kind === "text") return row.text.isWellFormed();
  return row.messages.every(({ content }) => content.isWellFormed());
}

async function* readPieces(source: ByteSource, format: DatasetFormat): AsyncGenerator<Piece> {
  const text = readText(source);
  if (format === "jsonl") yield* readLines(text);
  else if (format === "text") yield* readDocuments(text);
  else if (await beginsWithList(source)) yield* readElements(text);
  else yield* readListInside(source);
}

async function beginsWithList(source: ByteSource): Promise<boolean> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.byteLength));
  return new TextDecoder().decode(head).trimStart().startsWith("[");
}

/** An object around the list of rows, as some exports write it; otherwise it is the one row. */
async function* readListInside(source: ByteSource): AsyncGenerator<Piece> {
  if (source.byteLength > MAX_ROW_CHARS) {
    yield { at: 1, text: null };
    return;
  }
  let whole = "";
  for await (const chunk of readText(source)) whole += chunk;
  const value = parse(whole);
  const key = isObject(value) ? LIST_KEYS.find((name) => isListOfObjects(value[name])) : undefined;
  const list = isObject(value) && key !== undefined ? value[key] : null;
  if (!Array.isArray(list)) yield { at: 1, text: whole };
  else for (const [i, item] of list.entries()) yield { at: i + 1, text: JSON.stringify(item) };
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
