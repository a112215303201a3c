import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { bytesInMemory, type FileTree } from "../../core/bytes.ts";

/** A WordLevel tokenizer.json of these tokens, those in `added` as special added ones. */
export function tokenizerOf(tokens: readonly string[], added: readonly string[] = []) {
  const all = [...tokens, ...added];
  return {
    version: "1.0",
    added_tokens: added.map((content) => ({
      id: all.indexOf(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: null,
    decoder: null,
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      unk_token: tokens[0],
    },
  };
}

function filesOf(files: Readonly<Record<string, unknown>>): FileTree {
  const bytes = (value: unknown) =>
    new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  return new Map(Object.entries(files).map(([path, value]) => [path, bytesInMemory(bytes(value))]));
}

/** The checkpoint with these files beside its weights. */
export const withFiles = (
  checkpoint: Checkpoint,
  files: Readonly<Record<string, unknown>>,
): Checkpoint => ({ ...checkpoint, files: new Map([...checkpoint.files, ...filesOf(files)]) });
