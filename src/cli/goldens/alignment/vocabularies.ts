import type { Vocabulary, VocabularyMap } from "../../../engine/fuse/align/types.ts";
import type { GoldenMaps, GoldenTokenizer, TokenStrings } from "./files.ts";

const UTF8 = new TextEncoder();

/** What a vocabulary is made of where no tokenizer is at hand. */
export interface Strings {
  readonly marker: Vocabulary["marker"];
  readonly className: string | null;
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly unkId: number | null;
  readonly pieces: ReadonlyMap<number, string>;
  /** Where they differ from the pieces. */
  readonly decoded: ReadonlyMap<number, string>;
}

export function vocabularyOf({ pieces, decoded, ...about }: Strings): Vocabulary {
  const ids = new Map([...pieces].map(([id, piece]) => [piece, id]));
  let size = 0;
  for (const id of pieces.keys()) size = Math.max(size, id + 1);
  const piece = (id: number) => pieces.get(id) ?? "";
  return {
    ...about,
    size,
    piece,
    decoded: (id) => decoded.get(id) ?? piece(id),
    bytes: (id) => UTF8.encode(decoded.get(id) ?? piece(id)),
    idOf: (text) => ids.get(text),
  };
}

/** A tokenizer of the goldens: the strings that occur in them, and what the manifest says of it. */
export function goldenVocabulary(
  tokenizer: GoldenTokenizer,
  strings: TokenStrings[string],
): Vocabulary {
  const pieces = new Map<number, string>();
  const decoded = new Map<number, string>();
  for (const [id, [piece, plain]] of Object.entries(strings)) {
    pieces.set(Number(id), piece);
    if (plain !== undefined) decoded.set(Number(id), plain);
  }
  const idOf = (text: string | null) =>
    [...pieces].find(([, piece]) => piece === text)?.[0] ?? null;
  return vocabularyOf({
    marker: tokenizer.marker,
    className: tokenizer.class.replace(/Fast$/, ""),
    bosId: idOf(tokenizer.bos),
    eosId: idOf(tokenizer.eos),
    unkId: idOf(tokenizer.unk),
    pieces,
    decoded,
  });
}

/** Which of the goldens' maps stands behind a mode. */
export type MapKind = "exact" | "mined" | "statistics";

export function goldenMap(maps: GoldenMaps, kind: MapKind): VocabularyMap {
  const counts = new Map(
    (maps.counts ?? []).map(([pivot, source, count]) => [`${pivot} ${source}`, count]),
  );
  const beyond = (id: number): number | null => {
    if (kind === "exact") return null;
    if (kind === "mined") return maps.mined?.[id] ?? null;
    return maps.ms?.[id] ?? maps.ms_default ?? null;
  };
  return {
    target: (id) => maps.exact[id] ?? beyond(id),
    count: (pivot, source) => counts.get(`${pivot} ${source}`) ?? 0,
  };
}
