import { wholeCharacters } from "../tokenizers/wholeCharacters.ts";

/** Largest row, longer than any context: longer ones are left out, so that memory stays bounded. */
export const MAX_ROW_CHARS = 16 << 20;
const MAX_DOCUMENT_CHARS = 1 << 20;
const SEPARATOR = "<|endoftext|>";
const REPLACEMENT = "\ufffd";
/** Placeholder of a byte that is no UTF-8. */
export const HALF = "\ud800";

/** A piece of a file with its position, counted from 1; null where it was too long. */
export interface Piece {
  readonly at: number;
  readonly text: string | null;
}

/**
 * Text of a file in chunks, without a BOM. Invalid UTF-8 becomes a lone surrogate, which valid
 * UTF-8 cannot contain, so that it differs from a U+FFFD in the file.
 */
export async function* readText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const utf8 = new TextDecoder();
  let before: Uint8Array = new Uint8Array(0);
  for await (const bytes of chunks) {
    const text = utf8.decode(bytes, { stream: true });
    const written = countReplacements(before, bytes);
    yield text.split(REPLACEMENT).length - 1 > written ? text.replaceAll(REPLACEMENT, HALF) : text;
    before = bytes.slice(-2);
  }
  yield utf8.decode().replaceAll(REPLACEMENT, HALF);
}

/** Number of U+FFFD that end in a chunk; a character may begin in the previous chunk. */
function countReplacements(before: Uint8Array, chunk: Uint8Array): number {
  const at = (i: number) => (i < 0 ? before[before.length + i] : chunk[i]);
  let count = 0;
  for (let i = chunk.indexOf(0xbd); i >= 0; i = chunk.indexOf(0xbd, i + 1)) {
    if (at(i - 1) === 0xbf && at(i - 2) === 0xef) count++;
  }
  return count;
}

/** Lines of a text that are not blank. */
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

/** Elements of a JSON array, as texts, without reading the whole array. */
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

/** Documents of a plain text, separated by end-of-text marks; long ones are cut at a line end. */
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
      const cut = line > 0 ? line : wholeCharacters(rest, MAX_DOCUMENT_CHARS);
      yield piece(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
  }
  if (rest.trim() !== "") yield piece(at === 0 ? rest : rest.trimStart());
}
