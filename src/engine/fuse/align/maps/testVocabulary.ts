import type { Vocabulary } from "../types.ts";

/** A vocabulary as a list of strings, for tests: ids in their order, "" where there is none. */
export function testVocabulary(
  pieces: readonly string[],
  roles: Partial<Pick<Vocabulary, "marker" | "bosId" | "eosId" | "unkId" | "className">> = {},
): Vocabulary {
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const marker = roles.marker ?? "▁";
  const decoded = (id: number) => (pieces[id] ?? "").replaceAll(marker || " ", " ");
  return {
    marker,
    bosId: 1,
    eosId: 2,
    unkId: 0,
    className: null,
    ...roles,
    size: pieces.length,
    piece: (id) => pieces[id] ?? "",
    decoded,
    bytes: (id) => new TextEncoder().encode(decoded(id)),
    idOf: (piece) => (piece === "" ? undefined : ids.get(piece)),
  };
}
