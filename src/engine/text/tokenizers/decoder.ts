import { clip, isObject } from "../../core/json.ts";
import { refuseTokenizer } from "../patterns/pattern.ts";
import { lettersToBytes } from "./byteLetters.ts";

/** Decoder of tokens to text. */
export interface TokenBytes {
  /** Bytes that a token adds to a text; empty for an unused id. */
  bytesOf(id: number): Uint8Array;
  /** Whether encoding adds a leading space, which decoding removes. */
  readonly dropsFirstSpace: boolean;
  /** Spelling of a space in the vocabulary: SentencePiece's, byte-level, or literal. */
  readonly spaceMark: SpaceMark;
  /** String of an id in the tokenizer's files; undefined for an unused id. */
  pieceOf(id: number): string | undefined;
}

export type SpaceMark = "▁" | "Ġ" | "";

const EMPTY = new Uint8Array(0);
const BYTE_TOKEN = /^<0x([0-9A-F]{2})>$/;
const UTF8 = new TextEncoder();

interface Rules {
  byteLevel: boolean;
  byteFallback: boolean;
  mark: string | null;
  dropsFirstSpace: boolean;
}

/**
 * Decoder of a tokenizer.json; `bad-config` for an unsupported one. `added` has the added tokens as
 * spelled in a text.
 */
export function compileDecoder(
  entry: unknown,
  vocab: ReadonlyMap<string, number>,
  added: ReadonlyMap<number, string>,
): TokenBytes {
  const rules: Rules = {
    byteLevel: false,
    byteFallback: false,
    mark: null,
    dropsFirstSpace: false,
  };
  const steps = isObject(entry) && entry.type === "Sequence" ? entry.decoders : [entry];
  for (const step of Array.isArray(steps) ? steps : []) readStep(step, rules);
  const tokens = new Map([...vocab].map(([token, id]) => [id, token]));
  const read = (token: string) =>
    UTF8.encode(rules.mark ? token.replaceAll(rules.mark, " ") : token);
  return {
    dropsFirstSpace: rules.dropsFirstSpace,
    spaceMark: rules.byteLevel ? "Ġ" : rules.mark === "▁" ? "▁" : "",
    pieceOf: (id) => tokens.get(id),
    bytesOf(id) {
      const written = added.get(id);
      const token = written ?? tokens.get(id);
      if (token === undefined) return EMPTY;
      const byte = rules.byteFallback ? BYTE_TOKEN.exec(token) : null;
      if (byte) return Uint8Array.of(Number.parseInt(byte[1]!, 16));
      return rules.byteLevel && written === undefined ? lettersToBytes(token) : read(token);
    },
  };
}

function readStep(step: unknown, rules: Rules): undefined {
  // Without a decoder the reference joins tokens by spaces, which does not restore the text.
  if (!isObject(step)) return refuseTokenizer("it has no decoder");
  switch (step.type) {
    case "ByteLevel":
      rules.byteLevel = true;
      return;
    case "ByteFallback":
      rules.byteFallback = true;
      return;
    case "Fuse":
      return;
    case "Metaspace":
      rules.mark = typeof step.replacement === "string" ? step.replacement : "▁";
      rules.dropsFirstSpace = step.prepend_scheme !== "never" && step.add_prefix_space !== false;
      return;
    case "Replace":
      if (
        isObject(step.pattern) &&
        typeof step.pattern.String === "string" &&
        step.content === " "
      ) {
        rules.mark = step.pattern.String;
        return;
      }
      break;
    case "Strip":
      if (step.content === " " && step.stop === 0 && (step.start === 0 || step.start === 1)) {
        rules.dropsFirstSpace = step.start === 1;
        return;
      }
      break;
  }
  refuseTokenizer(`its decoder ${clip(JSON.stringify(step))} is not supported`);
}

/** Decodes tokens one by one. */
export interface TextStream {
  /** Text that is complete with this token; empty while its last character is not. */
  push(id: number): string;
  /** Rest at the end: an incomplete character, as U+FFFD. */
  end(): string;
}

/** Stream decoder that returns whole characters. `skip` names ids that add nothing. */
export function openTextStream(
  tokens: TokenBytes,
  options: { readonly skip: (id: number) => boolean; readonly continues: boolean },
): TextStream {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  let atStart = tokens.dropsFirstSpace && !options.continues;
  return {
    push(id) {
      if (options.skip(id)) return "";
      const bytes = tokens.bytesOf(id);
      if (bytes.byteLength === 0) return "";
      const drop = atStart && bytes[0] === 0x20 ? 1 : 0;
      atStart = false;
      return utf8.decode(bytes.subarray(drop), { stream: true });
    },
    end: () => utf8.decode(),
  };
}
