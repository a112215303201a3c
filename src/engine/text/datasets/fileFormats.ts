import { EngineError } from "../../contract/index.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { openUnpacked, type UnpackedFile } from "./packed.ts";

export type DatasetFormat = "jsonl" | "json" | "csv" | "tsv" | "parquet" | "text";

/** A dataset's file with its format. */
export interface DatasetFile extends UnpackedFile {
  readonly format: DatasetFormat;
  /** Its first bytes as text, without leading blanks. */
  readonly head: string;
}

const HEAD_BYTES = 64 << 10;

/** Known formats that are not supported: their names, first bytes, and what to do. */
const REFUSED: readonly {
  readonly what: string;
  readonly instead: string;
  readonly at?: number;
  readonly magic: readonly number[] | string;
}[] = [
  { what: "a ZIP archive", instead: "unpack it first", magic: "PK\x03\x04" },
  { what: "packed with bzip2", instead: "unpack it first", magic: "BZh" },
  { what: "packed with xz", instead: "unpack it first", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { what: "packed with lz4", instead: "unpack it first", magic: [0x04, 0x22, 0x4d, 0x18] },
  { what: "a 7z archive", instead: "unpack it first", magic: [0x37, 0x7a, 0xbc, 0xaf] },
  { what: "a tar archive", instead: "unpack it first", at: 257, magic: "ustar" },
  { what: "an Arrow file", instead: "save it as Parquet or JSONL", magic: "ARROW1" },
  { what: "an Arrow stream", instead: "save it as Parquet or JSONL", magic: [255, 255, 255, 255] },
  { what: "an ORC file", instead: "save it as Parquet or JSONL", magic: "ORC" },
  { what: "an Avro file", instead: "save it as Parquet or JSONL", magic: "Obj\x01" },
  { what: "an HDF5 file", instead: "save it as Parquet or JSONL", magic: "\x89HDF" },
  { what: "an SQLite database", instead: "save it as Parquet or JSONL", magic: "SQLite format 3" },
  { what: "UTF-16", instead: "save it as UTF-8", magic: [0xff, 0xfe] },
  { what: "UTF-16", instead: "save it as UTF-8", magic: [0xfe, 0xff] },
];

/**
 * Opens a dataset's file, with the format from its first bytes (unpacked) and its name. `usage` for
 * unsupported formats and for binary data, which is never taken for plain text.
 */
export async function openDatasetFile(source: ByteSource, name: string): Promise<DatasetFile> {
  const file = await openUnpacked(source, name);
  const head = await readHead(file);
  const format = tellFormat(head, file.name, name);
  if (format === "parquet" && file.packed) {
    const message = `${name} is a Parquet file that is packed once more: unpack it first.`;
    throw new EngineError("usage", message, { file: name });
  }
  return { ...file, format, head: new TextDecoder().decode(head).trimStart() };
}

async function readHead(file: UnpackedFile): Promise<Uint8Array> {
  let head = new Uint8Array(0);
  for await (const chunk of file.read()) {
    const joined = new Uint8Array(head.byteLength + chunk.byteLength);
    joined.set(head);
    joined.set(chunk, head.byteLength);
    head = joined;
    if (head.byteLength >= HEAD_BYTES) break;
  }
  return head.subarray(0, HEAD_BYTES);
}

function tellFormat(head: Uint8Array, inner: string, name: string): DatasetFormat {
  if (begins(head, "PAR1")) return "parquet";
  const refused = REFUSED.find(({ magic, at = 0 }) => begins(head, magic, at));
  if (refused) {
    throw new EngineError("usage", `${name} is ${refused.what}: ${refused.instead}.`, {
      file: name,
    });
  }
  if (head.includes(0)) {
    const message = `${name} is no text: it has bytes that no text has. JSONL, JSON, CSV, TSV, Parquet and plain text are read, packed with gzip or zstd too.`;
    throw new EngineError("usage", message, { file: name });
  }
  if (/\.(txt|md|text)$/i.test(inner)) return "text";
  if (/\.csv$/i.test(inner)) return "csv";
  if (/\.(tsv|tab)$/i.test(inner)) return "tsv";
  const text = new TextDecoder().decode(head).trimStart();
  if (text.startsWith("[")) return /^\[[^\n]*\]\s*\n\s*\[/.test(text) ? "jsonl" : "json";
  if (!text.startsWith("{")) return /\.(jsonl|ndjson|json)$/i.test(inner) ? "jsonl" : "text";
  if (!/\.json$/i.test(inner)) return "jsonl";
  return isJson(text.split("\n")[0]!) ? "jsonl" : "json";
}

function begins(head: Uint8Array, magic: readonly number[] | string, at = 0): boolean {
  const bytes = typeof magic === "string" ? [...magic].map((c) => c.charCodeAt(0)) : magic;
  return bytes.every((byte, i) => head[at + i] === byte);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
