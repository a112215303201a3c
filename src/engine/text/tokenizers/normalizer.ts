import { clip, isObject } from "../../core/json.ts";
import type { Matcher } from "../patterns/matching.ts";
import { compilePattern, refuseTokenizer } from "../patterns/pattern.ts";
import { type AlignedText, type Change, changeAligned } from "./aligned.ts";
import { StepCount } from "./stepCount.ts";

/** Normalizes a text and keeps the origin of each unit. */
export type Normalizer = (text: AlignedText) => AlignedText;

const MARKS = /\p{M}+/gu;
/** Longest run of combining marks; writing systems have up to some dozens. */
const MAX_MARKS = 1024;
/** Cluster: a character with the marks or Hangul vowels and finals that combine with it. */
const CLUSTER = /[^\p{M}\u1160-\u11ff]?[\p{M}\u1160-\u11ff]*/gu;

/** Normalizer of an entry in tokenizer.json; `bad-config` for an unsupported one. */
export function compileNormalizer(entry: unknown, steps = new StepCount("normalizer")): Normalizer {
  if (entry === null || entry === undefined) return (text) => text;
  if (!isObject(entry)) return refuseTokenizer("its normalizer is malformed");
  steps.add();
  switch (entry.type) {
    case "Sequence": {
      const entries: readonly unknown[] = Array.isArray(entry.normalizers) ? entry.normalizers : [];
      const all = entries.map((each) => compileNormalizer(each, steps));
      return (text) => all.reduce((done, step) => step(done), text);
    }
    case "Prepend": {
      const prefix = textOf(entry.prepend);
      // An empty text stays empty, as in SentencePiece.
      return (whole) =>
        whole.text === "" ? whole : changeAligned(whole, [{ start: 0, end: 0, text: prefix }]);
    }
    case "Replace": {
      const pattern = compilePattern(entry.pattern);
      const content = textOf(entry.content);
      return pattern
        ? (whole) => changeAligned(whole, replacements(whole, pattern, content))
        : same;
    }
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form = entry.type;
      return (whole) => normalizeUnicode(whole, form);
    }
    case "Lowercase":
      // Letter by letter: JavaScript's toLowerCase treats a final Σ specially.
      return (whole) => changeAligned(whole, differences(whole.text, letters(whole.text), lower));
    case "Strip":
      return strip(entry.strip_left !== false, entry.strip_right !== false);
    default:
      return refuseTokenizer(
        `its normalizer ${clip(String(entry.type))} is not supported; Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase and Strip are`,
      );
  }
}

const same: Normalizer = (text) => text;
const lower = (letter: string) => letter.toLowerCase();

function textOf(value: unknown): string {
  return typeof value === "string" ? value : refuseTokenizer("a normalizer lacks its text");
}

function replacements(whole: AlignedText, pattern: Matcher, text: string): readonly Change[] {
  return [...pattern(whole.text)].map((match) => ({ ...match, text }));
}

function strip(left: boolean, right: boolean): Normalizer {
  return (whole) => {
    const { text } = whole;
    const start = left ? /^\p{White_Space}*/u.exec(text)![0].length : 0;
    let end = text.length;
    while (right && end > start && /\p{White_Space}/u.test(text[end - 1]!)) end--;
    const cuts = [
      { start: 0, end: start, text: "" },
      { start: end, end: text.length, text: "" },
    ];
    return changeAligned(
      whole,
      cuts.filter((cut) => cut.end > cut.start),
    );
  };
}

function normalizeUnicode(whole: AlignedText, form: "NFC" | "NFD" | "NFKC" | "NFKD"): AlignedText {
  const { text } = whole;
  checkMarks(text);
  if (text.normalize(form) === text) return whole;
  const change = (part: string) => part.normalize(form);
  return changeAligned(whole, differences(text, clusters(text, change), change));
}

/** Limits runs of marks, which browsers sort in quadratic time. */
function checkMarks(text: string): void {
  if (text.length <= MAX_MARKS) return;
  for (const [marks] of text.matchAll(MARKS)) {
    if (marks.length <= MAX_MARKS) continue;
    refuseTokenizer(
      `the text has ${marks.length} combining marks in a row; at most ${MAX_MARKS} are put in order`,
    );
  }
}

/** Ends of the parts on which `change` acts independently of what precedes. */
function clusters(text: string, change: (part: string) => string): readonly number[] {
  const ends: number[] = [];
  let open = "";
  let end = 0;
  for (const [part] of text.matchAll(CLUSTER)) {
    if (part === "") continue;
    const apart = open === "" || change(open + part) === change(open) + change(part);
    if (apart && open !== "") ends.push(end);
    open = apart ? part : open + part;
    end += part.length;
  }
  if (open !== "") ends.push(end);
  return ends;
}

function letters(text: string): readonly number[] {
  const ends: number[] = [];
  let end = 0;
  for (const letter of text) {
    end += letter.length;
    ends.push(end);
  }
  return ends;
}

function differences(
  text: string,
  ends: readonly number[],
  change: (part: string) => string,
): readonly Change[] {
  const changes: Change[] = [];
  let start = 0;
  for (const end of ends) {
    const part = text.slice(start, end);
    const changed = change(part);
    if (changed !== part) {
      for (const each of alignRight(part, changed, start)) changes.push(each);
    }
    start = end;
  }
  return changes;
}

/**
 * A changed part by code point where the result has no more of them than the original: the first
 * takes what was composed, and marks that stayed keep their places at the end.
 */
function alignRight(part: string, changed: string, at: number): readonly Change[] {
  const from = [0, ...letters(part)];
  const made = [...changed];
  const composed = from.length - 1 - made.length;
  if (made.length === 0 || composed < 0) {
    return [{ start: at, end: at + part.length, text: changed }];
  }
  return made.map((text, i) => ({
    start: at + (i === 0 ? 0 : from[composed + i]!),
    end: at + from[composed + i + 1]!,
    text,
  }));
}
