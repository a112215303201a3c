import type { TextTokenizer } from "../../../text/tokenizers/tokenizer.ts";
import type { Vocabulary } from "../types.ts";
import { remark } from "../vocabulary.ts";

export interface BytesInputs {
  readonly pivot: Vocabulary;
  readonly source: Vocabulary;
  readonly pivotTokenizer: Pick<TextTokenizer, "encode">;
  readonly sourceTokenizer: Pick<TextTokenizer, "isSpecial">;
}

/** Spelling of a byte token in tokenizer files. */
const BYTE_PIECE = /^<0x[0-9A-F]{2}>$/;
/**
 * Text before a token while its text is tokenised, so that it is not at the beginning of a text.
 * Two contexts, since a token may merge with one of them.
 */
const CONTEXTS = ["\n", "a"];
const ONE_LETTER_A_BYTE = new TextDecoder("windows-1252");
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The studio's vocabulary map: the pivot's token of the same bytes; else the first token that the
 * pivot splits this text into, since that is what the pivot predicts next; else none (also for
 * control tokens). Bos and eos map to bos and eos. Targets are computed when first asked for.
 */
export function bytesTarget(inputs: BytesInputs): (sourceId: number) => number | null {
  const { pivot, source } = inputs;
  const byBytes = indexBytes(pivot);
  const known = new Map<number, number | null>();

  function find(sourceId: number): number | null {
    if (sourceId === source.eosId) return pivot.eosId;
    if (sourceId === source.bosId) return pivot.bosId;
    if (sourceId === source.unkId) return null; // it would teach the pivot to say it
    const same = pivot.idOf(remark(source.piece(sourceId), source, pivot));
    if (inputs.sourceTokenizer.isSpecial(sourceId)) return same ?? null;
    const bytes = source.bytes(sourceId);
    if (bytes.byteLength === 0) return null;
    if (same !== undefined && keyOf(pivot.bytes(same)) === keyOf(bytes)) return same;
    return byBytes.get(keyOf(bytes)) ?? firstToken(inputs, bytes) ?? longestPrefix(byBytes, bytes);
  }

  return (sourceId) => {
    let target = known.get(sourceId);
    if (target === undefined) {
      target = find(sourceId);
      known.set(sourceId, target);
    }
    return target;
  };
}

/** Bytes as a string with one letter a byte, for use as a map's key. */
const keyOf = (bytes: Uint8Array): string => ONE_LETTER_A_BYTE.decode(bytes);

/** The pivot's tokens by their bytes: the first of several, spelled tokens before byte tokens. */
function indexBytes(pivot: Vocabulary): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  const bare = new Map<string, number>();
  for (let id = 0; id < pivot.size; id++) {
    const bytes = pivot.bytes(id);
    if (bytes.byteLength === 0) continue;
    const into = BYTE_PIECE.test(pivot.piece(id)) ? bare : ids;
    const key = keyOf(bytes);
    if (!into.has(key)) into.set(key, id);
  }
  for (const [key, id] of bare) if (!ids.has(key)) ids.set(key, id);
  return ids;
}

/**
 * First token of a text as the pivot tokenises it inside a text; null where the contexts disagree.
 */
function firstToken({ pivotTokenizer }: BytesInputs, bytes: Uint8Array): number | null {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return null; // a part of a character
  }
  for (const context of CONTEXTS) {
    const { ids, spans } = pivotTokenizer.encode(context + text, { specialTokens: false });
    for (let t = 0; t < ids.length; t++) {
      const start = spans.bytes[t] as number;
      if (start === context.length && (spans.bytes[t + 1] as number) > start) {
        return ids[t] as number;
      }
    }
  }
  return null;
}

function longestPrefix(byBytes: ReadonlyMap<string, number>, bytes: Uint8Array): number | null {
  const key = keyOf(bytes);
  for (let length = key.length - 1; length > 0; length--) {
    const id = byBytes.get(key.slice(0, length));
    if (id !== undefined) return id;
  }
  return null;
}
