import { EngineError } from "../../../contract/index.ts";
import type { ByteSource } from "../../../core/bytes.ts";
import { clip, findJsonProblem, isObject } from "../../../core/json.ts";
import { type HeaderTensor, readEntry } from "./headerEntry.ts";

/** Largest JSON text of a header, the format's own limit. */
export const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

export interface SafetensorsHeader {
  /** Tensors in the order of their bytes. */
  readonly tensors: readonly HeaderTensor[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Length of the header: 8 bytes of length, and the JSON text. */
  readonly headerByteLength: number;
}

/**
 * Reads and checks a safetensors header; no weight is read. After it every tensor lies inside the
 * file, none overlap, and together they fill it. Errors: `bad-header`, `bad-dtype`, `bad-shape`,
 * `bad-offsets`, `truncated`.
 */
export async function readHeader(source: ByteSource, file: string): Promise<SafetensorsHeader> {
  const jsonBytes = await readJsonBytes(source, file);
  const entries = parseEntries(jsonBytes, file);
  const headerByteLength = LENGTH_BYTES + jsonBytes.byteLength;
  const metadata = readMetadata(entries, file);
  const tensors = entries
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => readEntry(name, value, headerByteLength, file))
    .sort((a, b) => a.start - b.start || a.byteLength - b.byteLength);
  checkLayout(tensors, headerByteLength, source.byteLength, file);
  return { tensors, metadata, headerByteLength };
}

async function readJsonBytes(source: ByteSource, file: string): Promise<Uint8Array<ArrayBuffer>> {
  const fileBytes = source.byteLength;
  const first = await source.read(0, Math.min(fileBytes, LENGTH_BYTES));
  const stated =
    first.byteLength < LENGTH_BYTES
      ? Number.NaN
      : Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true));
  if (Number.isNaN(stated)) {
    throw new EngineError(
      "truncated",
      `${file} has ${fileBytes} bytes; a safetensors file starts with an 8-byte length. Download it again.`,
      { file, fileBytes },
    );
  }
  if (stated > MAX_HEADER_BYTES) {
    throw new EngineError(
      "bad-header",
      `${file} states a header of ${stated} bytes; the format allows ${MAX_HEADER_BYTES}. It is not a safetensors file, or it is damaged.`,
      { file, headerBytes: stated, maxBytes: MAX_HEADER_BYTES },
    );
  }
  if (LENGTH_BYTES + stated > fileBytes) {
    throw new EngineError(
      "truncated",
      `${file} states a header of ${stated} bytes, but the file has ${fileBytes} in all. Download it again.`,
      { file, headerBytes: stated, fileBytes },
    );
  }
  return source.read(LENGTH_BYTES, stated);
}

function parseEntries(jsonBytes: Uint8Array, file: string): [string, unknown][] {
  const refuse = (reason: string, details = {}) =>
    new EngineError("bad-header", `The header of ${file} ${reason}.`, { file, ...details });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(jsonBytes);
  } catch {
    throw refuse("is not UTF-8 text");
  }
  const problem = findJsonProblem(text, { maxDepth: 16, duplicateKeys: "refuse" });
  if (problem) {
    const { line, column, offset, reason } = problem;
    throw refuse(`breaks at line ${line}, column ${column}: ${reason}`, { line, column, offset });
  }
  const document: unknown = JSON.parse(text);
  if (!isObject(document)) throw refuse("is JSON, but not an object of tensors");
  const entries = Object.entries(document);
  const broken = entries.find(([name]) => !name.isWellFormed());
  if (broken) throw refuse(`names a tensor ${clip(broken[0])} that is not Unicode`);
  return entries;
}

function readMetadata(
  entries: readonly [string, unknown][],
  file: string,
): ReadonlyMap<string, string> {
  const stated = entries.find(([name]) => name === "__metadata__")?.[1];
  // The reference implementation treats null as absent.
  if (stated === undefined || stated === null) return new Map();
  const pairs: [string, unknown][] = isObject(stated) ? Object.entries(stated) : [["", stated]];
  return new Map(
    pairs.map(([key, value]) => {
      if (isObject(stated) && typeof value === "string") return [key, value];
      const where = isObject(stated) ? `the value of ${clip(key)}` : "it";
      throw new EngineError(
        "bad-header",
        `__metadata__ of ${file} must map strings to strings, but ${where} is not one.`,
        { file, key: key.slice(0, 120) },
      );
    }),
  );
}

/**
 * Checks that every byte after the header belongs to exactly one tensor, so that nothing can be
 * hidden.
 */
function checkLayout(
  tensors: readonly HeaderTensor[],
  dataStart: number,
  fileBytes: number,
  file: string,
): void {
  let end = dataStart;
  let before = "the header";
  for (const { name, start, byteLength } of tensors) {
    if (start !== end) {
      const what =
        start < end
          ? `overlaps ${before}, which ends at ${end}`
          : `leaves ${start - end} bytes after ${before} to nobody`;
      throw new EngineError(
        "bad-offsets",
        `${clip(name)} in ${file} begins at ${start} and ${what}.`,
        {
          file,
          tensor: name.slice(0, 120),
          start,
          expected: end,
        },
      );
    }
    end = start + byteLength;
    before = clip(name);
  }
  if (end > fileBytes) {
    throw new EngineError(
      "truncated",
      `${file} has ${fileBytes} bytes, but its tensors end at ${end} (${before} last). Download it again.`,
      { file, fileBytes, end },
    );
  }
  if (end < fileBytes) {
    throw new EngineError(
      "bad-offsets",
      `${file} has ${fileBytes} bytes, but its tensors end at ${end}: ${fileBytes - end} bytes belong to nobody.`,
      { file, fileBytes, end },
    );
  }
}
