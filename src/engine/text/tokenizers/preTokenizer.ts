import { clip, isObject } from "../../core/json.ts";
import { type Matcher, matchSafe } from "../patterns/matching.ts";
import { BYTE_LEVEL_PATTERN, compilePattern, refuseTokenizer } from "../patterns/pattern.ts";
import { type AlignedText, changeAligned, sliceAligned } from "./aligned.ts";
import { StepCount } from "./stepCount.ts";

/** Splits pieces; merges never cross a split. */
export type PreTokenizer = (pieces: readonly AlignedText[]) => readonly AlignedText[];

/**
 * Pre-tokenizer of a tokenizer.json, and whether the model reads bytes (as letters) or characters.
 */
export interface CompiledPreTokenizer {
  readonly cut: PreTokenizer;
  readonly byteLevel: boolean;
}

interface Run {
  readonly start: number;
  readonly end: number;
  readonly matched: boolean;
}

const PUNCTUATION = matchSafe(/[!-/:-@[-`{-~\p{P}]/gu);
const NUMERIC = matchSafe(/\p{N}/gu);

/** Pre-tokenizer of an entry in tokenizer.json; `bad-config` for an unsupported one. */
export function compilePreTokenizer(
  entry: unknown,
  steps = new StepCount("pre_tokenizer"),
): CompiledPreTokenizer {
  const plain = (cut: PreTokenizer) => ({ cut, byteLevel: false });
  if (entry === null || entry === undefined) return plain((pieces) => pieces);
  if (!isObject(entry)) return refuseTokenizer("its pre_tokenizer is malformed");
  steps.add();
  switch (entry.type) {
    case "Sequence": {
      const entries: readonly unknown[] = Array.isArray(entry.pretokenizers)
        ? entry.pretokenizers
        : [];
      const all = entries.map((each) => compilePreTokenizer(each, steps));
      if (all.slice(0, -1).some(({ byteLevel }) => byteLevel)) {
        refuseTokenizer("its pre_tokenizer cuts again after ByteLevel");
      }
      return {
        cut: (pieces) => all.reduce((done, { cut }) => cut(done), pieces),
        byteLevel: all.at(-1)?.byteLevel ?? false,
      };
    }
    case "ByteLevel": {
      const cut = entry.use_regex === false ? null : compilePattern(BYTE_LEVEL_PATTERN);
      const prefix = entry.add_prefix_space !== false;
      return {
        byteLevel: true,
        cut: eachPiece((piece) => {
          const whole = prefix ? withPrefix(piece, " ", " ") : piece;
          return cut ? splitBy(whole, cut, "isolated", false) : [whole];
        }),
      };
    }
    case "Split": {
      const pattern = compilePattern(entry.pattern);
      const behavior = behaviorOf(entry.behavior);
      const invert = entry.invert === true;
      return plain(eachPiece((piece) => splitBy(piece, pattern, behavior, invert)));
    }
    case "Digits": {
      const behavior = entry.individual_digits === true ? "isolated" : "contiguous";
      return plain(eachPiece((piece) => splitBy(piece, NUMERIC, behavior, false)));
    }
    case "Punctuation": {
      const behavior = behaviorOf(entry.behavior ?? "Isolated");
      return plain(eachPiece((piece) => splitBy(piece, PUNCTUATION, behavior, false)));
    }
    case "Metaspace":
      return plain(compileMetaspace(entry));
    default:
      return refuseTokenizer(
        `its pre_tokenizer ${clip(String(entry.type))} is not supported; Sequence, ByteLevel, Split, Digits, Punctuation and Metaspace are`,
      );
  }
}

function compileMetaspace(entry: Readonly<Record<string, unknown>>): PreTokenizer {
  const mark = entry.replacement ?? "▁";
  if (typeof mark !== "string" || [...mark].length !== 1) {
    return refuseTokenizer("its Metaspace needs a replacement of one character");
  }
  const scheme = entry.prepend_scheme ?? (entry.add_prefix_space === false ? "never" : "always");
  const pattern = compilePattern({ String: mark });
  return eachPiece((piece) => {
    const changes = [...piece.text.matchAll(/ /g)].map(({ index }) => ({
      start: index,
      end: index + 1,
      text: mark,
    }));
    const marked = changeAligned(piece, changes);
    const prepends = scheme === "always" || (scheme === "first" && piece.origin[0] === 0);
    const whole = prepends ? withPrefix(marked, mark, mark) : marked;
    return entry.split === false ? [whole] : splitBy(whole, pattern, "mergedwithnext", false);
  });
}

function eachPiece(cut: (piece: AlignedText) => readonly AlignedText[]): PreTokenizer {
  return (pieces) => pieces.flatMap(cut).filter(({ text }) => text !== "");
}

function withPrefix(piece: AlignedText, prefix: string, unless: string): AlignedText {
  if (piece.text === "" || piece.text.startsWith(unless)) return piece;
  return changeAligned(piece, [{ start: 0, end: 0, text: prefix }]);
}

const BEHAVIORS = ["removed", "isolated", "mergedwithprevious", "mergedwithnext", "contiguous"];

/** Split behaviour; old files spell it in snake_case. */
function behaviorOf(value: unknown): string {
  const behavior = String(value).toLowerCase().replaceAll("_", "");
  return BEHAVIORS.includes(behavior)
    ? behavior
    : refuseTokenizer(`its pre_tokenizer splits with the unknown behavior ${clip(behavior)}`);
}

function splitBy(
  piece: AlignedText,
  pattern: Matcher | null,
  behavior: string,
  invert: boolean,
): readonly AlignedText[] {
  const runs = pattern ? findRuns(piece.text, pattern, invert) : [];
  if (runs.length === 0) return [piece];
  const joined = behavior === "removed" ? runs.filter((run) => !run.matched) : join(runs, behavior);
  return joined.map(({ start, end }) => sliceAligned(piece, start, end));
}

function findRuns(text: string, pattern: Matcher, invert: boolean): readonly Run[] {
  const runs: Run[] = [];
  let at = 0;
  for (const { start, end } of pattern(text)) {
    if (start > at) runs.push({ start: at, end: start, matched: invert });
    at = end;
    if (end > start) runs.push({ start, end, matched: !invert });
  }
  if (at < text.length) runs.push({ start: at, end: text.length, matched: invert });
  return runs;
}

function join(runs: readonly Run[], behavior: string): readonly Run[] {
  const joined: Run[] = [];
  for (const [i, run] of runs.entries()) {
    const before = runs[i - 1];
    const joins =
      before !== undefined &&
      ((behavior === "contiguous" && before.matched === run.matched) ||
        (behavior === "mergedwithprevious" && run.matched && !before.matched) ||
        (behavior === "mergedwithnext" && before.matched && !run.matched));
    if (joins) joined.push({ ...joined.pop()!, end: run.end });
    else joined.push(run);
  }
  return joined;
}
