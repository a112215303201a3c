import { toF16 } from "../rounding.ts";
import type { SparseRows, VocabularyMap } from "./types.ts";

/** Collects rows of few entries. Entries of one id are one entry. */
export class SparseRowsWriter {
  readonly #offsets: number[] = [0];
  readonly #ids: number[] = [];
  readonly #values: number[] = [];

  /** A row with all its logit on one id. The references write it as a logit of 1. */
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
    const logits = new Map<number, number[]>();
    for (let at = rows.offsets[row]!; at < rows.offsets[row + 1]!; at++) {
      const id = map.target(rows.ids[at]!);
      if (id === null) continue;
      const same = logits.get(id);
      if (same) same.push(rows.values[at]!);
      else logits.set(id, [rows.values[at]!]);
    }
    const summed = [...logits].map(([id, each]) => [id, toF16(logSumExp(each))] as const);
    for (const [id, value] of summed.sort((a, b) => b[1] - a[1] || a[0] - b[0])) {
      this.#ids.push(id);
      this.#values.push(value);
    }
    return this.#endRow();
  }

  /**
   * A row of the source as it stands, each id by the map; of two with one target the larger stays, as in
   * the references.
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
   * Several rows in one, each with its logits times a weight: where two meet, the larger product
   * stays. FuseChat v1 does so with the rows of a token's parts; the logits, not the probabilities.
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

  /** Ends the row and says how many entries it has. */
  #endRow(): number {
    const entries = this.#ids.length - this.#offsets.at(-1)!;
    this.#offsets.push(this.#ids.length);
    return entries;
  }
}

/** ln Σ e^x of numbers that come with the largest first. */
function logSumExp([largest = 0, ...others]: readonly number[]): number {
  return largest + Math.log1p(others.reduce((sum, x) => sum + Math.exp(x - largest), 0));
}
