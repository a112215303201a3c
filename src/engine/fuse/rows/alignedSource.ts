import type { Aligner, Alignment, Groups, SparseRows } from "../align/types.ts";
import type { AlignedSource, DocumentPiece, Representation } from "../dataset/records.ts";
import { utf8Length } from "../documents/tokenise.ts";

/** Aligns a source's representation of a document to the pivot's rows. */
export function alignSource(
  aligner: Aligner,
  pivot: Representation,
  source: Representation,
  { model, groups }: { readonly model: string; readonly groups: Groups | undefined },
): AlignedSource {
  const rowOf = new Int32Array(source.tokens.ids.length).fill(-1);
  for (const [row, position] of source.positions.entries()) rowOf[position] = row;
  const said = { rows: sparse(source), rowOf };
  const alignment = aligner.align(pivot.tokens, source.tokens, said, groups);
  const from = Int32Array.from(pivot.positions, (position) => alignment.from[position]!);
  const told = (values: Float32Array) =>
    Float32Array.from(from, (at) => (at < 0 ? Number.NaN : values[rowOf[at]!]!));
  // A mixture has weighted logits, so no row's log-sum-exp is the mixture's.
  const logSums = told(source.logSums).map((logSum, row) =>
    alignment.reasons[pivot.positions[row]!] === "joined" ? Number.NaN : logSum,
  );
  return {
    model,
    tokens: source.tokens,
    groups: alignment.groups,
    reasons: alignment.reasons,
    from,
    rows: rowsAt(alignment, pivot.positions),
    logSums,
    goldNats: told(source.goldNats),
    scored: {
      tokens: source.positions.length,
      nats: source.goldNats.reduce((sum, nats) => sum + nats, 0),
    },
  };
}

function sparse({ positions, k, ids, logits }: Representation): SparseRows {
  const offsets = Uint32Array.from({ length: positions.length + 1 }, (_, row) => row * k);
  return { offsets, ids, values: logits };
}

/** Rows at the given positions. */
function rowsAt({ rows }: Alignment, positions: Uint32Array): SparseRows {
  const offsets = new Uint32Array(positions.length + 1);
  for (const [row, position] of positions.entries()) {
    offsets[row + 1] = offsets[row]! + rows.offsets[position + 1]! - rows.offsets[position]!;
  }
  const ids = new Uint32Array(offsets.at(-1)!);
  const values = new Float32Array(ids.length);
  for (const [row, position] of positions.entries()) {
    const [start, end] = [rows.offsets[position]!, rows.offsets[position + 1]!];
    ids.set(rows.ids.subarray(start, end), offsets[row]!);
    values.set(rows.values.subarray(start, end), offsets[row]!);
  }
  return { offsets, ids, values };
}

/** Bytes of the supervised text, without tokens that end turns: the same for every model. */
export function supervisedBytes(pieces: readonly DocumentPiece[]): number {
  return pieces.reduce(
    (sum, { kind, text, supervised }) =>
      sum + (supervised && kind !== "end" ? utf8Length(text) : 0),
    0,
  );
}
