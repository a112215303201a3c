import { readFileSync } from "node:fs";
import type { TextTokenizer, TokenEncoding } from "../engine/text/tokenizers/tokenizer.ts";

/** What the `tokenizers` library answered for one text; offsets count code points. */
export interface GoldenCase {
  readonly ids: readonly number[];
  readonly offsets: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly decoded: string;
}

export interface TokenizerGolden {
  readonly versions: { readonly tokenizers: string };
  readonly texts: readonly string[];
  readonly tokenizers: Readonly<
    Record<string, { readonly tokenizer?: unknown; readonly cases: readonly GoldenCase[] }>
  >;
}

/** A file of goldens/tokenizers, which interop/tokenizerSpans.py makes. */
export function readGolden(name: "real.json" | "made.json"): TokenizerGolden {
  const url = new URL(`../../goldens/tokenizers/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

/** Where one answer differs from the library's, as sentences; none where it is the same. */
export function compareWithGolden(
  tokenizer: TextTokenizer,
  text: string,
  golden: GoldenCase,
  compare: { readonly spans: boolean } = { spans: true },
): readonly string[] {
  const plain = tokenizer.encode(text, { specialTokens: false });
  const special = tokenizer.encode(text, { specialTokens: true });
  const label = JSON.stringify(text.slice(0, 40));
  const complaints: string[] = [];
  const same = (what: string, a: readonly unknown[], b: readonly unknown[]) => {
    if (a.join() !== b.join())
      complaints.push(`${label}: ${what} ${a.join()} instead of ${b.join()}`);
  };
  same("ids", [...plain.ids], golden.ids);
  same("special ids", [...special.ids], [...golden.before, ...golden.ids, ...golden.after]);
  const decoded = tokenizer.decode(golden.ids, { skipSpecial: false });
  same("decoded", [JSON.stringify(decoded)], [JSON.stringify(golden.decoded)]);
  if (complaints.length === 0 && compare.spans)
    complaints.push(...compareSpans(text, plain, golden));
  return complaints;
}

/**
 * The library gives overlapping spans where several tokens spell a character, counts a prefix space
 * to the first character, and leaves gaps where text was removed. Ours are that, with each shared
 * character given to its last token, and gaps to the token before (or the first).
 */
function compareSpans(text: string, plain: TokenEncoding, golden: GoldenCase): readonly string[] {
  const points = pointStarts(text);
  const claimed = new Set<number>();
  const lastClaim = new Map<number, number>();
  for (const [i] of golden.ids.entries()) {
    for (let p = golden.offsets[2 * i]!; p < golden.offsets[2 * i + 1]!; p++) {
      claimed.add(p);
      lastClaim.set(p, i);
    }
  }
  const complaints: string[] = [];
  let first = 0;
  for (const [i] of golden.ids.entries()) {
    const [from, to] = [golden.offsets[2 * i]!, golden.offsets[2 * i + 1]!];
    const [start, end] = [plain.spans.bytes[i]!, plain.spans.bytes[i + 1]!];
    while (first < points.length && points[first]![1] <= start) first++;
    const ours: number[] = [];
    for (let p = first; p < points.length && points[p]![0] < end; p++) ours.push(p);
    const strange = ours.filter((p) => claimed.has(p) && !(p >= from && p < to));
    const missed = [];
    for (let p = from; p < to; p++) if (!ours.includes(p) && lastClaim.get(p) === i) missed.push(p);
    if (strange.length > 0 || missed.length > 0) {
      complaints.push(
        `${JSON.stringify(text.slice(0, 40))}: token ${i} is bytes ${start}–${end}, the library says points ${from}–${to}`,
      );
    }
    const chars = [plain.spans.chars[i]!, plain.spans.chars[i + 1]!];
    if (!(chars[0]! <= chars[1]!)) complaints.push(`token ${i} ends before it starts`);
  }
  const whole = new TextEncoder().encode(text).byteLength;
  if (golden.ids.length > 0) {
    const { bytes, chars } = plain.spans;
    if (bytes[0] !== 0 || bytes.at(-1) !== whole) complaints.push("bytes are not all covered");
    if (chars[0] !== 0 || chars.at(-1) !== text.length)
      complaints.push("characters are not covered");
  }
  return complaints;
}

/** Byte ranges of a text's code points. */
function pointStarts(text: string): readonly (readonly [number, number])[] {
  let at = 0;
  return [...text].map((letter) => {
    const start = at;
    at += new TextEncoder().encode(letter).byteLength;
    return [start, at] as const;
  });
}
