import { toF16 } from "../rounding.ts";
import type { SparseRows, VocabularyMap } from "./types.ts";

/** Builds sparse rows; entries of one id are combined. */
export class SparseRowsWriter {
  readonly #offsets: number[] = [0];
  readonly #ids: number[] = [];
  readonly #values: number[] = [];

  /** A row with all its probability on one id, which the references write as a logit of 1. */
  writeOneHot(id: number): void {
    this.#ids.push(id);
    this.#values.push(1);
    this.#endRow();
  }

  /**
   * A row of the source with each id by the map. Entries of one target are one outcome of the pivot's:
   * their probabilities add up, so their logits' log-sum-exp stands for them, rounded as they are.
   */
  writeSummed(rows: SparseRows, row: number, map: VocabularyMap): number {
    const start = this.#ids.length;
    let summed = false;
    for (let at = rows.offsets[row]!; at < rows.offsets[row + 1]!; at++) {
      const id = map.target(rows.ids[at]!);
      if (id === null) continue;
      const value = rows.values[at]!;
      const same = this.#ids.indexOf(id, start);
      if (same < 0) {
        this.#ids.push(id);
        this.#values.push(value);
      } else {
        // Rows are sorted by falling logit, so the stored entry is the larger one.
        const larger = this.#values[same]!;
        this.#values[same] = larger + Math.log1p(Math.exp(value - larger));
        summed = true;
      }
    }
    if (summed) this.#roundAndSort(start);
    return this.#endRow();
  }

  /**
   * A row of the source with mapped ids; of two entries with one target the larger stays, as in the
   * references.
   */
  writeMapped(rows: SparseRows, row: number, map: VocabularyMap): number {
    const start = this.#ids.length;
    for (let at = rows.offsets[row]!; at < rows.offsets[row + 1]!; at++) {
      const id = map.target(rows.ids[at]!);
      if (id === null || this.#ids.indexOf(id, start) >= 0) continue;
      this.#ids.push(id);
      this.#values.push(rows.values[at]!);
    }
    return this.#endRow();
  }

  /**
   * Several rows in one, each with its logits times a weight; of two entries with one id the larger
   * product stays. FuseChat v1 combines the rows of a token's parts so, by logits and not by
   * probabilities.
   */
  writeWeighted(
    rows: SparseRows,
    parts: readonly { readonly row: number; readonly weight: number }[],
    map: VocabularyMap,
  ): number {
    const found = new Map<number, number>();
    for (const { row, weight } of parts) {
      for (let at = rows.offsets[row]!; at < rows.offsets[row + 1]!; at++) {
        const id = map.target(rows.ids[at]!);
        if (id === null) continue;
        const value = rows.values[at]! * weight;
        found.set(id, Math.max(found.get(id) ?? value, value));
      }
    }
    for (const [id, value] of [...found].sort((a, b) => b[1] - a[1])) {
      this.#ids.push(id);
      this.#values.push(value);
    }
    return this.#endRow();
  }

  writeEmpty(): void {
    this.#endRow();
  }

  finish(): SparseRows {
    return {
      offsets: Uint32Array.from(this.#offsets),
      ids: Uint32Array.from(this.#ids),
      values: Float32Array.from(this.#values),
    };
  }

  /**
   * Rounds the entries of the row from `start` on to f16 and sorts them, the largest first, ties by
   * id. By insertion, as they are few.
   */
  #roundAndSort(start: number): void {
    const [ids, values] = [this.#ids, this.#values];
    for (let i = start; i < ids.length; i++) {
      const [id, value] = [ids[i]!, toF16(values[i]!)];
      let at = i;
      for (; at > start; at--) {
        const before = values[at - 1]!;
        if (before > value || (before === value && ids[at - 1]! < id)) break;
        ids[at] = ids[at - 1]!;
        values[at] = before;
      }
      ids[at] = id;
      values[at] = value;
    }
  }

  /** Ends the row and returns its number of entries. */
  #endRow(): number {
    const entries = this.#ids.length - this.#offsets.at(-1)!;
    this.#offsets.push(this.#ids.length);
    return entries;
  }
}
