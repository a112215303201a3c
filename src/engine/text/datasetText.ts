import type { ByteSource } from "../base/bytes.ts";

const CHUNK_BYTES = 1 << 20;
/** A row longer than any context: it is left out, so that memory stays bounded. */
export const MAX_ROW_CHARS = 16 << 20;
const MAX_DOCUMENT_CHARS = 1 << 20;
const SEPARATOR = "<|endoftext|>";

/** A piece of a file with its place, counted from 1; null where it was longer than allowed. */
export interface Piece {
  readonly at: number;
  readonly text: string | null;
}

/** The text of a file in chunks; bytes that are no UTF-8 become U+FFFD, a BOM is left out. */
export async function* readText(source: ByteSource): AsyncGenerator<string> {
  const utf8 = new TextDecoder();
  for (let at = 0; at < source.byteLength; at += CHUNK_BYTES) {
    const bytes = await source.read(at, Math.min(CHUNK_BYTES, source.byteLength - at));
    yield utf8.decode(bytes, { stream: true });
  }
  yield utf8.decode();
}

/** The lines of a text that are not blank. */
export async function* readLines(text: AsyncIterable<string>): AsyncGenerator<Piece> {
  let rest = "";
  let tooLong = false;
  let at = 0;
  const finish = (line: string): Piece | null => {
    at++;
    const whole = rest + line;
    const dropped = tooLong || whole.length > MAX_ROW_CHARS;
    rest = "";
    tooLong = false;
    if (dropped) return { at, text: null };
    return whole.trim() === "" ? null : { at, text: whole };
  };
  for await (const chunk of text) {
    const lines = chunk.split("\n");
    const open = lines.pop() ?? "";
    for (const line of lines) {
      const piece = finish(line);
      if (piece) yield piece;
    }
    if (rest.length + open.length > MAX_ROW_CHARS) tooLong = true;
    rest = tooLong ? "" : rest + open;
  }
  const last = finish("");
  if (last) yield last;
}

/** The elements of a JSON array, as texts, without reading the array as a whole. */
export async function* readElements(text: AsyncIterable<string>): AsyncGenerator<Piece> {
  let element = "";
  let depth = 0;
  let at = 0;
  let tooLong = false;
  let inString = false;
  let escaped = false;
  const finish = (): Piece | null => {
    const whole = element.trim();
    element = "";
    const dropped = tooLong;
    tooLong = false;
    if (!dropped && whole === "") return null;
    at++;
    return { at, text: dropped ? null : whole };
  };
  for await (const chunk of text) {
    let from = 0;
    const take = (to: number) => {
      if (!tooLong) element += chunk.slice(from, to);
      tooLong ||= element.length > MAX_ROW_CHARS;
      if (tooLong) element = "";
    };
    for (let i = 0; i < chunk.length; i++) {
      const letter = chunk[i]!;
      if (inString) {
        if (escaped) escaped = false;
        else if (letter === "\\") escaped = true;
        else if (letter === '"') inString = false;
        continue;
      }
      if (letter === '"') inString = true;
      else if (letter === "[" || letter === "{") {
        depth++;
        if (depth === 1) from = i + 1;
      } else if ((letter === "," && depth === 1) || letter === "]" || letter === "}") {
        if (letter !== ",") depth--;
        if (depth > 1 || (depth === 1 && letter !== ",")) continue;
        take(i);
        from = i + 1;
        const piece = finish();
        if (piece) yield piece;
      }
    }
    if (depth > 0) take(chunk.length);
  }
  const broken = depth > 0 ? finish() : null;
  if (broken) yield broken;
}

/** Documents of a plain text: between end-of-text marks, and cut at a line where they are too long. */
export async function* readDocuments(text: AsyncIterable<string>): AsyncGenerator<Piece> {
  let rest = "";
  let at = 0;
  const piece = (document: string): Piece => {
    at++;
    return { at, text: document };
  };
  for await (const chunk of text) {
    const documents = (rest + chunk).split(SEPARATOR);
    rest = documents.pop() ?? "";
    for (const document of documents) if (document.trim() !== "") yield piece(document.trim());
    while (rest.length > MAX_DOCUMENT_CHARS) {
      const line = rest.lastIndexOf("\n", MAX_DOCUMENT_CHARS) + 1;
      const cut = line > 0 ? line : MAX_DOCUMENT_CHARS;
      yield piece(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
  }
  if (rest.trim() !== "") yield piece(at === 0 ? rest : rest.trimStart());
}
