import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { TokenisedText, Vocabulary } from "../src/engine/fuse/align/types.ts";
import { openVocabulary } from "../src/engine/fuse/align/vocabulary.ts";
import { openTokenizer, type TextTokenizer } from "../src/engine/text/tokenizers/tokenizer.ts";
import { openFiles } from "../src/node/files.ts";

/** Tokens of a dialogue as the pivot reads it. */
const TOKENS = 2048;
const CORPORA = ["tinyshakespeare.txt", "war_and_peace.txt", "grimms_fairy_tales.txt"];
/** From where in a text the dialogues are taken, past its front matter. */
const FRONT = 20_000;

export interface Side {
  readonly name: string;
  readonly tokenizer: TextTokenizer;
  readonly vocabulary: Vocabulary;
}

/** One text as both models read it. */
export interface Pair {
  readonly pivot: TokenisedText;
  readonly source: TokenisedText;
}

/** A tokenizer of a folder. */
export async function openSide(folder: string): Promise<Side> {
  const { files, close } = await openFiles(folder);
  try {
    const tokenizer = await openTokenizer(files);
    if (!tokenizer) throw new Error(`${folder} has no tokenizer.json`);
    return { name: basename(folder), tokenizer, vocabulary: openVocabulary(tokenizer) };
  } finally {
    await close();
  }
}

function tokenise({ tokenizer }: Side, text: string): TokenisedText {
  const { ids, spans } = tokenizer.encode(text, { specialTokens: true });
  return { ids, ends: Uint32Array.from(spans.bytes.subarray(1)) };
}

/** Texts of 2,048 pivot tokens from real books and plays, in turn, as both sides read them. */
export async function readPairs(
  data: string,
  pivot: Side,
  source: Side,
  count: number,
): Promise<readonly Pair[]> {
  const texts = await Promise.all(
    CORPORA.map((name) => readFile(join(data, "zoo", "corpora", name), "utf8")),
  );
  const starts = texts.map(() => FRONT);
  return Array.from({ length: count }, (_, i) => {
    const from = starts[i % texts.length] as number;
    const piece = (texts[i % texts.length] as string).slice(from, from + 6 * TOKENS);
    const { spans } = pivot.tokenizer.encode(piece, { specialTokens: false });
    const end = spans.chars[TOKENS - 1] as number;
    starts[i % texts.length] = from + end;
    const text = piece.slice(0, end);
    return { pivot: tokenise(pivot, text), source: tokenise(source, text) };
  });
}
