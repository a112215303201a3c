import type { FusionSettings } from "../../contract/index.ts";
import type { UnfusedRecord } from "../dataset/records.ts";

/** Rows of all documents in the layout of shaders/fuse/mix_rows.wgsl. */
export interface PackedRows {
  readonly rows: number;
  /** Members that each row has room for. */
  readonly members: number;
  /** Largest number of entries of a row, over all its members. */
  readonly largest: number;
  /** [rows, members, 4]: start and number of entries, log-sum-exp and weight as f32 bits. */
  readonly segments: Uint32Array<ArrayBuffer>;
  /** [entries, 2]: id, and logit as f32 bits; in the order of the segments. */
  readonly entries: Uint32Array<ArrayBuffer>;
}

/** Highest bit of an entry count: the log-sum-exp is known. */
const KNOWN = 0x80000000;

/**
 * Packs the rows of members with a nonzero weight; the pivot's own row stands in for a source's
 * empty one. `weights` are `weighRows` of each document.
 */
export function packRows(
  documents: readonly UnfusedRecord[],
  weights: readonly Float32Array[],
  { bf16 }: Pick<FusionSettings, "bf16">,
): PackedRows {
  const { rows, members, entries } = measure(documents, weights);
  const writer = new SegmentWriter(rows, members, entries);
  for (const [i, { pivot, sources }] of documents.entries()) {
    const own = weights[i]!;
    const count = 1 + sources.length;
    // The references round each sum, in the given order.
    const order = bf16 ? [0, ...sources.map((_, i) => i + 1)] : membersByName(sources);
    for (let row = 0; row < pivot.positions.length; row++) {
      for (const member of order) {
        const weight = own[row * count + member]!;
        if (weight === 0) continue;
        const source = sources[member - 1];
        const [start, end] = source
          ? [source.rows.offsets[row]!, source.rows.offsets[row + 1]!]
          : [0, 0];
        if (source && end > start) {
          writer.add(source.rows.ids, source.rows.values, start, end, source.logSums[row]!, weight);
        } else {
          const at = row * pivot.k;
          writer.add(pivot.ids, pivot.logits, at, at + pivot.k, pivot.logSums[row]!, weight);
        }
      }
      writer.endRow();
    }
  }
  return writer.finish();
}

/**
 * The pivot, then the sources by name: an order of addition that is independent of the request's.
 */
function membersByName(sources: UnfusedRecord["sources"]): readonly number[] {
  const byName = sources.map(({ model }, i) => ({ model, member: i + 1 }));
  byName.sort((a, b) => (a.model < b.model ? -1 : a.model > b.model ? 1 : a.member - b.member));
  return [0, ...byName.map(({ member }) => member)];
}

/** Sizes for all rows: members with a nonzero weight, and their entries. */
function measure(documents: readonly UnfusedRecord[], weights: readonly Float32Array[]) {
  let [rows, members, entries] = [0, 1, 0];
  for (const [i, { pivot, sources }] of documents.entries()) {
    const count = 1 + sources.length;
    rows += pivot.positions.length;
    for (let row = 0; row < pivot.positions.length; row++) {
      let taking = 0;
      for (let member = 0; member < count; member++) {
        if (weights[i]![row * count + member] === 0) continue;
        taking += 1;
        const offsets = sources[member - 1]?.rows.offsets;
        entries += (offsets ? offsets[row + 1]! - offsets[row]! : 0) || pivot.k;
      }
      members = Math.max(members, taking);
    }
  }
  return { rows, members, entries };
}

class SegmentWriter {
  readonly #rows: number;
  readonly #members: number;
  readonly #segments: Uint32Array<ArrayBuffer>;
  readonly #segmentFloats: Float32Array;
  readonly #entries: Uint32Array<ArrayBuffer>;
  readonly #entryFloats: Float32Array;
  #row = 0;
  #member = 0;
  #at = 0;
  #rowStart = 0;
  #largest = 1;

  constructor(rows: number, members: number, entries: number) {
    this.#rows = rows;
    this.#members = members;
    this.#segments = new Uint32Array(4 * rows * members);
    this.#segmentFloats = new Float32Array(this.#segments.buffer);
    this.#entries = new Uint32Array(2 * entries);
    this.#entryFloats = new Float32Array(this.#entries.buffer);
  }

  add(
    ids: Uint32Array,
    logits: Float32Array,
    start: number,
    end: number,
    logSum: number,
    weight: number,
  ): void {
    const segment = 4 * (this.#row * this.#members + this.#member);
    const known = Number.isFinite(logSum);
    this.#segments[segment] = this.#at;
    this.#segments[segment + 1] = (end - start) | (known ? KNOWN : 0);
    this.#segmentFloats[segment + 2] = known ? logSum : 0;
    this.#segmentFloats[segment + 3] = weight;
    for (let i = start; i < end; i++) {
      this.#entries[2 * this.#at] = ids[i]!;
      this.#entryFloats[2 * this.#at + 1] = logits[i]!;
      this.#at += 1;
    }
    this.#member += 1;
  }

  endRow(): void {
    this.#largest = Math.max(this.#largest, this.#at - this.#rowStart);
    this.#rowStart = this.#at;
    // Unused segments start where the next row's entries do, so that a range of rows can be cut
    // out.
    for (; this.#member < this.#members; this.#member++) {
      this.#segments[4 * (this.#row * this.#members + this.#member)] = this.#at;
    }
    this.#row += 1;
    this.#member = 0;
  }

  finish(): PackedRows {
    return {
      rows: this.#rows,
      members: this.#members,
      largest: this.#largest,
      segments: this.#segments,
      entries: this.#entries,
    };
  }
}

/** Rows [from, to) by themselves. */
export function cutRows(packed: PackedRows, from: number, to: number): PackedRows {
  const { members, segments, entries } = packed;
  const own = segments.slice(4 * from * members, 4 * to * members);
  const start = own[0]!;
  const end = to < packed.rows ? segments[4 * to * members]! : entries.length / 2;
  for (let segment = 0; segment < own.length; segment += 4) own[segment]! -= start;
  return { ...packed, rows: to - from, segments: own, entries: entries.slice(2 * start, 2 * end) };
}
