import { ALIGNMENT_REASONS, type AlignmentReason, EngineError } from "../../contract/index.ts";
import type { SparseRows, TokenisedText } from "../align/types.ts";
import { ByteReader, ByteWriter } from "./packing.ts";
import type { AlignedSource, FusedRecord, FusionDocument, Representation } from "./records.ts";

/*
 * Records as bytes, docs/fused-dataset.md. The same record gives the same bytes; reading believes
 * nothing: a count is checked against what is left, and a position against what it points into.
 */

const REPRESENTATION = 1;
const FUSED = 2;
const VERSION = 1;

const PIECE_KINDS = ["text", "control", "end"] as const;
const MAX_K = 65535;
const NO_REASON = 255;
const REASON_CODES = new Map(ALIGNMENT_REASONS.map((reason, code) => [reason, code]));

export function encodeRepresentation(representation: Representation): Uint8Array<ArrayBuffer> {
  const out = begin(REPRESENTATION);
  writeRepresentation(out, representation);
  return out.finish();
}

/** `bad-header`, `truncated` or `bad-offsets` where the bytes are not one. */
export function decodeRepresentation(bytes: Uint8Array): Representation {
  const from = open(bytes, REPRESENTATION);
  const representation = readRepresentation(from);
  from.end();
  return representation;
}

export function encodeFused(record: FusedRecord): Uint8Array<ArrayBuffer> {
  const out = begin(FUSED);
  out.varint(record.number);
  writeDocument(out, record.document);
  out.varint(record.supervisedBytes);
  writeRepresentation(out, record.pivot);
  out.varint(record.sources.length);
  for (const source of record.sources) writeSource(out, source);
  writeWeights(out, record.weights, 1 + record.sources.length);
  writeRows(out, record.fused);
  out.floats(record.tail);
  return out.finish();
}

/** `bad-header`, `truncated` or `bad-offsets` where the bytes are not one. */
export function decodeFused(bytes: Uint8Array): FusedRecord {
  const from = open(bytes, FUSED);
  const number = from.varint();
  const document = readDocument(from);
  const supervisedBytes = from.varint();
  const pivot = readRepresentation(from);
  const rows = pivot.positions.length;
  const sources = Array.from({ length: from.count(8) }, () =>
    readSource(from, pivot.tokens.ids.length, rows),
  );
  const weights = readWeights(from, rows, 1 + sources.length);
  const fused = readRows(from, rows);
  const tail = from.floats(rows);
  from.end();
  return { number, document, supervisedBytes, pivot, sources, weights, fused, tail };
}

function begin(kind: number): ByteWriter {
  const out = new ByteWriter();
  out.byte(kind);
  out.byte(VERSION);
  return out;
}

function open(bytes: Uint8Array, kind: number): ByteReader {
  const from = new ByteReader(bytes);
  const [found, version] = [from.byte(), from.byte()];
  if (found === kind && version === VERSION) return from;
  const message = `This is a record of kind ${found}, version ${version}; kind ${kind}, version ${VERSION} was expected. A newer FuseStudio may have written it.`;
  throw new EngineError("bad-header", message, { kind: found, version });
}

function writeDocument(out: ByteWriter, document: FusionDocument): void {
  out.text(document.dataset);
  out.varint(document.at);
  out.varint(document.part);
  out.byte(document.domain === null ? 0 : 1);
  if (document.domain !== null) out.text(document.domain);
  out.varint(document.pieces.length);
  for (const { kind, text, supervised } of document.pieces) {
    out.byte(PIECE_KINDS.indexOf(kind) | (supervised ? 128 : 0));
    out.text(text);
  }
}

function readDocument(from: ByteReader): FusionDocument {
  const dataset = from.text();
  const [at, part] = [from.varint(), from.varint()];
  const domain = from.byte() === 0 ? null : from.text();
  const pieces = Array.from({ length: from.count(2) }, () => {
    const flags = from.byte();
    const kind = PIECE_KINDS[flags & 127] ?? from.refuse(`a piece of kind ${flags & 127}`);
    return { kind, supervised: flags >= 128, text: from.text() };
  });
  return { dataset, at, part, domain, pieces };
}

function writeTokens(out: ByteWriter, { ids, ends }: TokenisedText): void {
  out.varint(ids.length);
  out.ids(ids);
  out.rising(ends);
}

function readTokens(from: ByteReader): TokenisedText {
  const count = from.count(3);
  return { ids: from.ids(count), ends: from.rising(count) };
}

function writeRepresentation(out: ByteWriter, said: Representation): void {
  writeTokens(out, said.tokens);
  out.varint(said.positions.length);
  out.rising(said.positions);
  out.varint(said.k);
  out.ids(said.ids);
  out.floats(said.logits);
  out.floats(said.logSums);
  out.floats(said.goldNats);
}

function readRepresentation(from: ByteReader): Representation {
  const tokens = readTokens(from);
  const rows = from.count();
  // The last token's row predicts nothing known.
  const positions = from.rising(rows, 0, Math.max(0, tokens.ids.length - 2));
  if (rows > 0 && tokens.ids.length < 2) from.refuse("a row without a token that follows");
  if (positions.some((position, row) => row > 0 && position === positions[row - 1])) {
    from.refuse("two rows at one position");
  }
  const k = from.varint(MAX_K);
  const ids = from.ids(rows * k);
  const logits = from.floats(rows * k);
  return {
    tokens,
    positions,
    k,
    ids,
    logits,
    logSums: from.floats(rows),
    goldNats: from.floats(rows),
  };
}

function writeSource(out: ByteWriter, source: AlignedSource): void {
  out.text(source.model);
  writeTokens(out, source.tokens);
  writeCounts(out, source.groups.offsets);
  out.ids(source.groups.positions);
  for (const reason of source.reasons) {
    out.byte(reason === null ? NO_REASON : (REASON_CODES.get(reason) as number));
  }
  for (const position of source.from) out.varint(position + 1);
  writeRows(out, source.rows);
  out.floats(source.logSums);
  out.floats(source.goldNats);
  out.varint(source.scored.tokens);
  out.double(source.scored.nats);
}

/** Reads a source aligned to so many pivot tokens and rows. */
function readSource(from: ByteReader, pivotTokens: number, rows: number): AlignedSource {
  const model = from.text();
  const tokens = readTokens(from);
  const count = tokens.ids.length;
  const offsets = readCounts(from, pivotTokens);
  const positions = from.ids(offsets[pivotTokens]!);
  if (positions.some((position) => position >= count)) from.refuse("a group of tokens not there");
  const reasons: (AlignmentReason | null)[] = [];
  for (let i = 0; i < pivotTokens; i++) {
    const code = from.byte();
    reasons.push(
      code === NO_REASON ? null : (ALIGNMENT_REASONS[code] ?? from.refuse(`reason ${code}`)),
    );
  }
  const at = new Int32Array(rows);
  for (let row = 0; row < rows; row++) at[row] = from.varint(count) - 1;
  return {
    model,
    tokens,
    groups: { offsets, positions },
    reasons,
    from: at,
    rows: readRows(from, rows),
    logSums: from.floats(rows),
    goldNats: from.floats(rows),
    scored: { tokens: from.varint(), nats: from.double() },
  };
}

/** Writes `members` weights a row, only once where all rows are equal. */
function writeWeights(out: ByteWriter, weights: Float32Array, members: number): void {
  const first = weights.subarray(0, members);
  const same = weights.every((weight, i) => Object.is(weight, first[i % members]));
  out.byte(same ? 1 : 0);
  out.floats(same && weights.length > 0 ? first : weights);
}

function readWeights(from: ByteReader, rows: number, members: number): Float32Array<ArrayBuffer> {
  if (from.byte() === 0 || rows === 0) return from.floats(rows * members);
  const first = from.floats(members);
  return Float32Array.from({ length: rows * members }, (_, i) => first[i % members]!);
}

function writeRows(out: ByteWriter, { offsets, ids, values }: SparseRows): void {
  writeCounts(out, offsets);
  out.ids(ids);
  out.floats(values);
}

function readRows(from: ByteReader, rows: number): SparseRows {
  const offsets = readCounts(from, rows);
  const entries = offsets[rows]!;
  return { offsets, ids: from.ids(entries), values: from.floats(entries) };
}

/** Writes offsets as their differences; the first offset is 0. */
function writeCounts(out: ByteWriter, offsets: Uint32Array): void {
  out.rising(offsets.subarray(1));
}

function readCounts(from: ByteReader, count: number): Uint32Array<ArrayBuffer> {
  const offsets = new Uint32Array(count + 1);
  offsets.set(from.rising(count), 1);
  return offsets;
}
