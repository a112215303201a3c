import { EngineError } from "../../contract/index.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { isObject } from "../../core/json.ts";
import { readParquet } from "./datasetParquet.ts";
import { type DatasetRow, readRow } from "./datasetRows.ts";
import {
  HALF,
  MAX_ROW_CHARS,
  type Piece,
  readDocuments,
  readElements,
  readLines,
  readText,
} from "./datasetText.ts";
import { type DatasetFile, type DatasetFormat, openDatasetFile } from "./fileFormats.ts";
import { UnknownLayout } from "./layouts.ts";
import { RowProblem } from "./messages.ts";
import { readTable } from "./tables.ts";
import { assembleTrees, type RawRow } from "./trees.ts";

export type { DatasetRow } from "./datasetRows.ts";

/** A row, or the reason why it was not read. `at` counts lines of JSONL, else rows, from 1. */
export type DatasetEntry =
  | { readonly at: number; readonly row: DatasetRow }
  | {
      readonly at: number;
      readonly problem: string;
      /** Columns of texts, where none is known: one of them may be named. */
      readonly columns?: readonly string[];
    };

/** How the rows of a dataset are read. */
export interface ReadOptions {
  /** Column that holds the text, read where a row has it; null for the known ones only. */
  readonly textColumn?: string | null;
}

/** Summary of a dataset for a list. */
export interface DatasetSummary {
  readonly format: DatasetFormat;
  readonly texts: number;
  readonly chats: number;
  /** Unreadable rows by reason, the most frequent first. */
  readonly problems: readonly {
    readonly reason: string;
    readonly count: number;
    readonly firstAt: number;
  }[];
  /** Columns of texts in the first row of which none is known. */
  readonly columns: readonly string[];
}

const LIST_KEYS = ["data", "rows", "train", "examples"];
const MOST_TEXT_CHARS = 2 ** 27;
/**
 * Largest number of distinct reasons: reasons with names in them would otherwise fill the memory.
 */
const MAX_REASONS = 100;

/** Format of a file; `usage` for unsupported ones. */
export async function detectFormat(source: ByteSource, name: string): Promise<DatasetFormat> {
  return (await openDatasetFile(source, name)).format;
}

/**
 * Rows of a dataset in order, each unreadable one as its reason; message trees come last. Memory is
 * bounded by the longest row (16 Mi characters; Parquet: a row group; trees: 128 Mi characters).
 * `usage` and `bad-header` for unreadable files.
 */
export async function* readDataset(
  source: ByteSource,
  name: string,
  { textColumn = null }: ReadOptions = {},
): AsyncGenerator<DatasetEntry, void> {
  const file = await openDatasetFile(source, name);
  for await (const { at, value, problem } of assembleTrees(rawRows(file, source, name), name)) {
    if (problem !== undefined) yield { at, problem };
    else yield* entriesOf(at, value, textColumn);
  }
}

/** A plain text as a whole; `usage` where it exceeds 128 Mi characters. */
export async function readWholeText(source: ByteSource, name: string): Promise<string> {
  const file = await openDatasetFile(source, name);
  let whole = "";
  for await (const chunk of readText(file.read())) {
    whole += chunk;
    if (whole.length <= MOST_TEXT_CHARS) continue;
    const message = `${name} is a text of more than ${MOST_TEXT_CHARS} characters. Cut it into several.`;
    throw new EngineError("usage", message, { file: name, limit: MOST_TEXT_CHARS });
  }
  return whole.replaceAll(HALF, "\ufffd");
}

async function* rawRows(
  file: DatasetFile,
  source: ByteSource,
  name: string,
): AsyncGenerator<RawRow> {
  const tooLong = `longer than ${MAX_ROW_CHARS} characters`;
  switch (file.format) {
    case "parquet": {
      let at = 0;
      for await (const value of readParquet(source, name)) yield { at: ++at, value };
      return;
    }
    case "csv":
    case "tsv": {
      const separator = file.format === "csv" ? "," : "\t";
      for await (const { at, fields, problem } of readTable(readText(file.read()), separator)) {
        if (fields) yield { at, value: fields };
        else yield { at, value: null, problem: problem ?? tooLong };
      }
      return;
    }
    default:
      for await (const { at, text } of readPieces(file)) {
        if (text === null) yield { at, value: null, problem: tooLong };
        else if (file.format === "text") yield { at, value: text };
        else {
          const value = parse(text);
          yield value === undefined ? { at, value, problem: "no JSON" } : { at, value };
        }
      }
  }
}

/** Summary of a dataset from one reading: its rows, and the unreadable ones by reason. */
export async function summarizeDataset(source: ByteSource, name: string): Promise<DatasetSummary> {
  const counts = { text: 0, chat: 0 };
  const reasons = new Map<string, { count: number; firstAt: number }>();
  let columns: readonly string[] = [];
  for await (const entry of readDataset(source, name)) {
    if ("row" in entry) {
      counts[entry.row.kind]++;
      continue;
    }
    if (columns.length === 0) columns = entry.columns ?? [];
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
    columns,
  };
}

function* entriesOf(
  at: number,
  value: unknown,
  textColumn: string | null,
): Generator<DatasetEntry> {
  const rows = readRow(value, textColumn);
  if (rows instanceof UnknownLayout) {
    yield { at, problem: rows.reason, columns: rows.columns };
  } else if (rows instanceof RowProblem) yield { at, problem: rows.reason };
  else for (const row of rows) yield isWhole(row) ? { at, row } : { at, problem: NOT_WHOLE };
}

const NOT_WHOLE = "a text that is no UTF-8, or with half a character (a lone surrogate)";

function isWhole(row: DatasetRow): boolean {
  if (row.kind === "text") return row.text.isWellFormed();
  return row.messages.every(({ content }) => content.isWellFormed());
}

function readPieces(file: DatasetFile): AsyncGenerator<Piece> {
  const text = readText(file.read());
  if (file.format === "jsonl") return readLines(text);
  if (file.format === "text") return readDocuments(text);
  return file.head.startsWith("[") ? readElements(text) : readListInside(text);
}

/**
 * Rows of an object around a list of rows, as some exports write it; else the object is the row.
 */
async function* readListInside(text: AsyncIterable<string>): AsyncGenerator<Piece> {
  let whole = "";
  for await (const chunk of text) {
    whole += chunk;
    if (whole.length <= MAX_ROW_CHARS) continue;
    yield { at: 1, text: null };
    return;
  }
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
