import type { TextTokenizer } from "../../text/tokenizers/tokenizer.ts";
import type { SparseRows, TokenisedText } from "../align/types.ts";
import type { AlignedSource, DocumentPiece, UnfusedRecord } from "./records.ts";

/** A row of a Parquet file. */
export type ParquetRow = Readonly<Record<string, unknown>>;

/** Reason why a row is refused. */
export class BadRow extends Error {}

/** Columns that all rows of a file share. */
export interface ImportedFields {
  readonly dataset: string;
  /** Columns of the sources, in order. */
  readonly sources: readonly SourceColumns[];
  readonly vocabSize: number;
  readonly tokenizer: Pick<TextTokenizer, "tokenBytes" | "isSpecial">;
}

export interface SourceColumns {
  readonly model: string;
  readonly logits: string;
  readonly indices: string;
  readonly metric: string;
}

/** Longest document in tokens; those of the references end at 2,048. */
const MOST_TOKENS = 2 ** 17;
const MOST_ENTRIES = 1024;
const IGNORED = -100;

/** Sources that a file's columns name; null where it is not a file of the references. */
export function findSources(columns: ReadonlySet<string>): readonly SourceColumns[] | null {
  const needed = ["input_ids", "labels", "per_step_logits", "per_step_indices", "metric_ce"];
  if (!needed.every((name) => columns.has(name))) return null;
  const fused = {
    logits: "fused_per_step_logits",
    indices: "fused_per_step_indices",
    model: "fused source",
    metric: "fused_metric_ce",
  };
  if (columns.has(fused.logits)) return hasAll(columns, fused) ? [fused] : null;
  const sources: SourceColumns[] = [];
  // Like the references' collators, any numbered source is taken, even without the first.
  const numbers = [...columns].flatMap(
    (name) => /^per_step_aligned_logits_(\d{1,3})$/.exec(name)?.[1] ?? [],
  );
  for (const i of numbers.map(Number).sort((a, b) => a - b)) {
    const source = {
      model: `source ${i}`,
      metric: `metric_ce_aligned_${i}`,
      logits: `per_step_aligned_logits_${i}`,
      indices: `per_step_aligned_indices_${i}`,
    };
    if (!hasAll(columns, source)) return null;
    sources.push(source);
  }
  return sources;
}

const hasAll = (columns: ReadonlySet<string>, { logits, indices, metric }: SourceColumns) =>
  [logits, indices, metric].every((name) => columns.has(name));

/**
 * A row as an aligned document that is not fused yet. Its text is decoded from its tokens. The file
 * has no nats by row, so every row gets the document's mean, and no source tokens.
 */
export function readImportedRow(
  row: ParquetRow,
  at: number,
  fields: ImportedFields,
): UnfusedRecord {
  const { dataset, sources, vocabSize, tokenizer } = fields;
  const all = numbers(row, "input_ids", { below: vocabSize });
  const mask = row.attention_mask === undefined ? null : numbers(row, "attention_mask");
  const count = mask ? mask.lastIndexOf(1) + 1 : all.length;
  if (all.length > MOST_TOKENS) throw new BadRow(`it has ${all.length} tokens`);
  const labels = numbers(row, "labels", { least: IGNORED });
  if (labels.length !== all.length || (mask && mask.length !== all.length)) {
    throw new BadRow(
      `input_ids, labels and attention_mask have ${all.length}, ${labels.length} and ${mask?.length ?? 0} entries`,
    );
  }
  const ids = Uint32Array.from(all.slice(0, count));
  const learned = Array.from(ids, (_, t) => labels[t] !== IGNORED && mask?.[t] !== 0);
  const positions = Uint32Array.from(learned.flatMap((each, t) => (each && t > 0 ? [t - 1] : [])));
  const { text, ends } = textOfTokens(ids, tokenizer);
  const pivotRows = readRows(row, {
    logits: "per_step_logits",
    indices: "per_step_indices",
    count,
    positions,
    vocabSize,
  });
  const metric = metricOf(row, "metric_ce");
  return {
    number: at - 1,
    document: { dataset, at, part: 0, domain: null, pieces: cutPieces(text, ends, learned) },
    pivot: {
      tokens: { ids, ends },
      positions,
      ...evenRows(pivotRows, positions.length),
      logSums: new Float32Array(positions.length).fill(Number.NaN),
      goldNats: new Float32Array(positions.length).fill(metric),
    },
    sources: sources.map((columns): AlignedSource => {
      const rows = readRows(row, { ...columns, count, positions, vocabSize });
      return sourceOf(columns.model, rows, metricOf(row, columns.metric), ids.length);
    }),
    supervisedBytes: positions.reduce((sum, p) => sum + ends[p + 1]! - ends[p]!, 0),
  };
}

function sourceOf(model: string, rows: SparseRows, metric: number, tokens: number): AlignedSource {
  const count = rows.offsets.length - 1;
  const unknown = () => new Float32Array(count).fill(Number.NaN);
  return {
    model,
    rows,
    logSums: unknown(),
    tokens: { ids: new Uint32Array(), ends: new Uint32Array() },
    groups: { offsets: new Uint32Array(tokens + 1), positions: new Uint32Array() },
    reasons: Array.from({ length: tokens }, () => null),
    from: new Int32Array(count).fill(-1),
    goldNats: new Float32Array(count).fill(metric),
    scored: Number.isFinite(metric) ? { tokens: 1, nats: metric } : { tokens: 0, nats: 0 },
  };
}

/** Metric of a document; NaN and null mean that no token was supervised. */
function metricOf(row: ParquetRow, name: string): number {
  const value = row[name];
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
}

function numbers(
  row: ParquetRow,
  name: string,
  { least = 0, below = Number.MAX_SAFE_INTEGER }: { least?: number; below?: number } = {},
): number[] {
  const list = row[name];
  if (!Array.isArray(list) && !ArrayBuffer.isView(list)) throw new BadRow(`${name} is no list`);
  return Array.from(list as ArrayLike<unknown>, (value, i) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= least && number < below) return number;
    throw new BadRow(
      `${name}[${i}] is ${String(value)}, not a whole number from ${least} to ${below - 1}`,
    );
  });
}

/** Checked rows before supervised tokens: as many logits as ids, distinct ids, finite logits. */
function readRows(
  row: ParquetRow,
  {
    logits,
    indices,
    count,
    positions,
    vocabSize,
  }: {
    readonly logits: string;
    readonly indices: string;
    readonly count: number;
    readonly positions: Uint32Array;
    readonly vocabSize: number;
  },
): SparseRows {
  const [allLogits, allIndices] = [row[logits], row[indices]];
  if (!Array.isArray(allLogits) || !Array.isArray(allIndices)) {
    throw new BadRow(`${logits} or ${indices} is no list`);
  }
  // Some writers omit the last token's row, which predicts nothing.
  if (Math.min(allLogits.length, allIndices.length) < count - 1) {
    throw new BadRow(
      `${logits} has ${allLogits.length} rows and ${indices} ${allIndices.length} for ${count} tokens`,
    );
  }
  const offsets = new Uint32Array(positions.length + 1);
  const ids: number[] = [];
  const values: number[] = [];
  for (const [i, position] of positions.entries()) {
    const own = { ids: allIndices[position] ?? [], values: allLogits[position] ?? [] };
    for (const [id, value] of sortedEntries(own, vocabSize, `${indices}[${position}]`)) {
      ids.push(id);
      values.push(value);
    }
    offsets[i + 1] = ids.length;
  }
  return { offsets, ids: Uint32Array.from(ids), values: Float32Array.from(values) };
}

function sortedEntries(
  row: { readonly ids: unknown; readonly values: unknown },
  vocabSize: number,
  name: string,
): [id: number, logit: number][] {
  const [ids, values] = [row.ids, row.values] as ArrayLike<unknown>[];
  if (ids?.length !== values?.length || !(ids!.length <= MOST_ENTRIES)) {
    throw new BadRow(`${name} has ${ids?.length} ids and ${values?.length} logits`);
  }
  const entries = Array.from(ids!, (id, i): [number, number] => [Number(id), Number(values![i])]);
  for (const [id, logit] of entries) {
    if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) {
      throw new BadRow(`${name} names id ${id}, but the pivot's vocabulary has ${vocabSize}`);
    }
    if (!Number.isFinite(logit)) throw new BadRow(`${name} has the logit ${logit}`);
  }
  if (new Set(entries.map(([id]) => id)).size !== entries.length) {
    throw new BadRow(`${name} names an id twice`);
  }
  return entries.sort(([a, x], [b, y]) => y - x || a - b);
}

/** Rows of the pivot, all of which have k entries. */
function evenRows({ offsets, ids, values }: SparseRows, rows: number) {
  const k = rows > 0 ? offsets[1]! : 0;
  for (let row = 0; row < rows; row++) {
    const own = offsets[row + 1]! - offsets[row]!;
    if (own !== k || k === 0) {
      throw new BadRow(`per_step_logits has rows of ${k} and of ${own} entries`);
    }
  }
  return { k, ids, logits: values };
}

/** Text of the tokens together, and the number of its bytes after each. */
function textOfTokens(
  ids: Uint32Array,
  tokenizer: ImportedFields["tokenizer"],
): { readonly text: string; readonly ends: TokenisedText["ends"] } {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const ends = new Uint32Array(ids.length);
  const parts: string[] = [];
  let bytes = 0;
  for (const [i, id] of ids.entries()) {
    // A token that ends inside a character ends at the character's start.
    const last = i === ids.length - 1;
    const own = tokenizer.isSpecial(id) ? new Uint8Array() : tokenizer.tokenBytes(id);
    const part = decoder.decode(own, { stream: !last });
    parts.push(part);
    bytes += new TextEncoder().encode(part).byteLength;
    ends[i] = bytes;
  }
  return { text: parts.join(""), ends };
}

/** Pieces of the text that are learned and not learned, alternately. */
function cutPieces(text: string, ends: Uint32Array, learned: readonly boolean[]): DocumentPiece[] {
  const bytes = new TextEncoder().encode(text);
  const pieces: DocumentPiece[] = [];
  let start = 0;
  for (let t = 0; t < ends.length; t++) {
    if (t + 1 < ends.length && learned[t + 1] === learned[t]) continue;
    const part = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      bytes.subarray(start, ends[t]),
    );
    pieces.push({ kind: "text", text: part, supervised: learned[t] === true });
    start = ends[t]!;
  }
  return pieces;
}
