import type { OutputDType } from "../../contract/index.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import type { CheckpointTensor } from "../checkpoint.ts";
import { gatherRows, type RowMove, rowLength } from "./gatherRows.ts";

/** Rows of `shared` that no one checkpoint gives. */
export const ROW = {
  /** Mean of the rows of all checkpoints that have one of their own. */
  mean: -1,
  /** Zeros. */
  zero: -2,
  /** Mean of the rows that stand for a token: padding. */
  padding: -3,
} as const;

/**
 * Where the rows of several checkpoints' embeddings, heads and head biases come from in a vocabulary
 * of `count` rows, the same one for all.
 */
export interface VocabularyRows {
  readonly count: number;
  /** By checkpoint, the row of its own that stands for a row of the result; −1: the shared one. */
  readonly own: readonly Int32Array[];
  /** By row, the checkpoint that gives the shared one, or one of `ROW`. */
  readonly shared: Int32Array;
  /** By row, the row of that checkpoint. */
  readonly sharedRow: Int32Array;
}

/** Rows read for a mean over all of them at once. */
const PIECE_BYTES = 4 * 2 ** 20;

/** One checkpoint's rows of one tensor in the new vocabulary. */
export class RowSource implements ByteSource {
  readonly byteLength: number;
  private readonly tensors: readonly (CheckpointTensor | undefined)[];
  private readonly rows: VocabularyRows;
  private readonly index: number;
  private readonly dtype: { readonly wide: OutputDType; readonly narrow: OutputDType };
  private readonly elements: number;
  private readonly rowBytes: number;
  private padding: Promise<Uint8Array<ArrayBuffer>> | null = null;

  constructor(
    tensors: RowSource["tensors"],
    rows: VocabularyRows,
    index: number,
    dtype: RowSource["dtype"],
  ) {
    this.tensors = tensors;
    this.rows = rows;
    this.index = index;
    this.dtype = dtype;
    this.elements = rowLength(tensors[index]!);
    this.rowBytes = byteLength(dtype.wide, this.elements);
    this.byteLength = rows.count * this.rowBytes;
  }

  view(): CheckpointTensor {
    const { quantised: _, ...plain } = this.tensors[this.index]!;
    return {
      ...plain,
      dtype: this.dtype.wide,
      shape: [this.rows.count, ...plain.shape.slice(1)],
      elementCount: this.rows.count * this.elements,
      byteLength: this.byteLength,
      source: this,
      start: 0,
    };
  }

  async read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const first = Math.floor(start / this.rowBytes);
    const end = Math.ceil((start + length) / this.rowBytes);
    const bytes = await this.readRows(first, end);
    // The returned array is the caller's own and aligned: a range within a row is copied.
    const from = start - first * this.rowBytes;
    return bytes.byteLength === length ? bytes : bytes.slice(from, from + length);
  }

  private async readRows(first: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const { own, shared, sharedRow } = this.rows;
    const bytes = new Uint8Array((end - first) * this.rowBytes);
    const moves = this.tensors.map((): RowMove[] => []);
    const means: number[] = [];
    for (let row = first; row < end; row++) {
      const mine = own[this.index]![row]!;
      const from = shared[row]!;
      if (mine >= 0) moves[this.index]!.push({ from: mine, to: row });
      else if (from >= 0) moves[from]!.push({ from: sharedRow[row]!, to: row });
      else if (from === ROW.mean) means.push(row);
      else if (from === ROW.padding) {
        bytes.set(await this.paddingRow(), (row - first) * this.rowBytes);
      }
    }
    for (const [i, wanted] of moves.entries()) {
      const tensor = this.tensors[i];
      if (!tensor || wanted.length === 0) continue;
      await gatherRows(tensor, wanted, this.dtype.wide, (row, to) =>
        bytes.set(row, (to - first) * this.rowBytes),
      );
    }
    if (means.length > 0) await this.addMeans(bytes, first, means);
    return bytes;
  }

  /** Means over all owners of a token, each step rounded to the dtype that mergekit computes in. */
  private async addMeans(
    bytes: Uint8Array,
    first: number,
    means: readonly number[],
  ): Promise<void> {
    const { own } = this.rows;
    const sums = new Map(means.map((row) => [row, new Float32Array(this.elements)]));
    const counts = new Map<number, number>();
    const round = (values: Float32Array<ArrayBuffer>) =>
      toF32(fromF32(values, this.dtype.narrow), this.dtype.narrow);
    for (const [i, tensor] of this.tensors.entries()) {
      if (!tensor) continue;
      const moves = means.flatMap((to) => {
        const from = own[i]![to]!;
        return from >= 0 ? [{ from, to }] : [];
      });
      await gatherRows(tensor, moves, this.dtype.narrow, (row, to) => {
        const values = toF32(row.slice(), this.dtype.narrow);
        const sum = sums.get(to)!;
        sums.set(to, round(sum.map((value, at) => value + values[at]!)));
        counts.set(to, (counts.get(to) ?? 0) + 1);
      });
    }
    for (const row of means) {
      const mean = round(sums.get(row)!.map((value) => value / (counts.get(row) ?? 1)));
      bytes.set(fromF32(mean, this.dtype.wide), (row - first) * this.rowBytes);
    }
  }

  /** Mean of the rows that stand for tokens: the tensor is read once for it. */
  private paddingRow(): Promise<Uint8Array<ArrayBuffer>> {
    this.padding ??= this.computePadding().catch((error: unknown) => {
      this.padding = null;
      throw error;
    });
    return this.padding;
  }

  private async computePadding(): Promise<Uint8Array<ArrayBuffer>> {
    const { wide, narrow } = this.dtype;
    const sums = new Float64Array(this.elements);
    let tokens = 0;
    for (const [first, end] of this.tokenRuns()) {
      const values = toF32(await this.readRows(first, end), wide);
      tokens += end - first;
      for (let row = 0; row < values.length; row += this.elements) {
        for (let at = 0; at < this.elements; at++) sums[at] = sums[at]! + values[row + at]!;
      }
    }
    const mean = Float32Array.from(sums, (sum) => sum / Math.max(1, tokens));
    return fromF32(toF32(fromF32(mean, narrow), narrow), wide);
  }

  /** Ranges of rows that stand for tokens, a few MiB each. */
  private *tokenRuns(): Generator<readonly [first: number, end: number]> {
    const { count, shared } = this.rows;
    const most = Math.max(1, Math.floor(PIECE_BYTES / this.rowBytes));
    for (let first = 0; first < count; first++) {
      let end = first;
      while (end < count && end - first < most && shared[end] !== ROW.padding) end++;
      if (end === first) continue;
      yield [first, end];
      first = end - 1;
    }
  }
}
