import type { CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { gatherRows, rowLength } from "../checkpoint/views/gatherRows.ts";
import type { SubwordMethod } from "../contract/index.ts";
import { toF32 } from "../core/tensor/convert.ts";
import type { TextTokenizer } from "../text/tokenizers/tokenizer.ts";

/** Mean of all rows of a matrix, summed up in float64. */
export async function meanRow(tensor: CheckpointTensor): Promise<Float32Array> {
  const width = rowLength(tensor);
  const [height = 0] = tensor.shape;
  const sum = new Float64Array(width);
  const PIECE = 1024;
  for (let first = 0; first < height; first += PIECE) {
    const count = Math.min(PIECE, height - first);
    const moves = Array.from({ length: count }, (_, i) => ({ from: first + i, to: i }));
    await gatherRows(tensor, moves, "F32", (row) => {
      const values = toF32(row.slice(), "F32");
      for (let at = 0; at < width; at++) sum[at] = sum[at]! + values[at]!;
    });
  }
  return Float32Array.from(sum, (value) => value / Math.max(1, height));
}

/**
 * Rows of texts from the rows of the tokens that a tokenizer cuts them into. Weighted, an embedding
 * counts its first token most and a head its last; one of two ends is an embedding's last token and a
 * head's first. A text without tokens is zeros.
 */
export async function subwordRows(
  tensor: CheckpointTensor,
  texts: readonly string[],
  tokenizer: TextTokenizer,
  { method, isHead }: { readonly method: SubwordMethod; readonly isHead: boolean },
): Promise<readonly Float32Array[]> {
  const width = rowLength(tensor);
  const height = tensor.shape[0] ?? 0;
  const cut = texts.map((text) =>
    [...tokenizer.encode(text, { specialTokens: false }).ids].filter((id) => id < height),
  );
  const places = new Map([...new Set(cut.flat())].map((id, i) => [id, i]));
  const rows = new Map<number, Float32Array>();
  const moves = [...places.keys()].map((id) => ({ from: id, to: id }));
  await gatherRows(tensor, moves, "F32", (row, id) => rows.set(id, toF32(row.slice(), "F32")));
  return cut.map((ids) => {
    const sum = new Float64Array(width);
    const weights = weightsOf(ids.length, method, isHead);
    for (const [i, id] of ids.entries()) {
      const weight = weights[i]!;
      if (weight === 0) continue;
      const row = rows.get(id)!;
      for (let at = 0; at < width; at++) sum[at] = sum[at]! + weight * row[at]!;
    }
    return Float32Array.from(sum);
  });
}

/** Weights of a text's tokens, as in mergekit 0.1.5. */
function weightsOf(count: number, method: SubwordMethod, isHead: boolean): readonly number[] {
  const each = (weight: (i: number) => number) =>
    Array.from({ length: count }, (_, i) => weight(i));
  switch (method) {
    case "mean":
      return each(() => 1 / count);
    case "sum":
      return each(() => 1);
    case "weighted_mean":
      return each((i) => (isHead ? i + 1 : count - i) / ((count * (count + 1)) / 2));
    case "first_last":
      return each((i) => (i === (isHead ? 0 : count - 1) ? 1 : 0));
  }
}
