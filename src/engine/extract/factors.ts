import type { ExtractionSettings, MatrixSpectrum } from "../contract/index.ts";
import { fromF32 } from "../core/tensor/convert.ts";
import type { LeadingSvd } from "../spectrum/leadingSvd.ts";
import type { FactoredKind } from "./plan.ts";

/** LoRA factors of a matrix W [rows, columns] as it is stored. */
export interface Factors {
  readonly rank: number;
  /** [rank, inputs], row-major. */
  readonly a: Float32Array<ArrayBuffer>;
  /** [outputs, rank], row-major. */
  readonly b: Float32Array<ArrayBuffer>;
}

type Kept = Pick<LeadingSvd, "values" | "energy">;

/**
 * Number of singular values that the factors keep: `rank` of them, or as few as keep the wanted part of
 * the energy; none below the smallest wanted one.
 */
export function chooseRank(
  { values, energy }: Kept,
  { rank, energy: wanted, least }: Pick<ExtractionSettings, "rank" | "energy" | "least">,
): number {
  const most = Math.min(rank, values.filter((value) => value > least).length);
  if (wanted === null) return most;
  let kept = 0;
  for (let count = 0; count < most; count++) {
    // The sum of all squares is known to two millionths: a part of 1 is never reached exactly.
    if (kept >= wanted * energy * (1 - 4e-6)) return count;
    kept += values[count]! ** 2;
  }
  return most;
}

/** Number of values after the last kept one that a spectrum tells. */
const SIX_DIGITS = 6;
const round = (value: number) => Number(value.toPrecision(SIX_DIGITS));

/** Spectrum of a matrix of which `rank` singular values are kept. */
export function spectrumOf(
  module: string,
  shape: readonly [number, number],
  { values, energy }: Kept,
  rank: number,
): MatrixSpectrum {
  const kept = values.subarray(0, rank).reduce((sum, value) => sum + value * value, 0);
  const [first = 0] = values;
  return {
    module,
    shape,
    rank,
    values: Array.from(values, round),
    energy: round(energy),
    kept: energy === 0 ? 1 : round(Math.min(1, kept / energy)),
    stableRank: first === 0 ? 0 : round(energy / first ** 2),
  };
}

/**
 * Factors whose product, times `scale`, is the matrix's best approximation of their rank: B·A for a
 * linear layer [outputs, inputs], its transpose for one that is stored [inputs, outputs], as
 * embeddings are. The singular values are shared out by their roots, or all given to A.
 */
export function factorsOf(
  { values, left, right }: Pick<LeadingSvd, "values" | "left" | "right">,
  {
    rank,
    scale,
    as,
    distribute,
  }: {
    readonly rank: number;
    readonly scale: number;
    readonly as: FactoredKind;
    readonly distribute: boolean;
  },
): Factors {
  const [inputs, outputs] = as === "linear" ? [right, left] : [left, right];
  const [inputCount, outputCount] = [inputs, outputs].map((it) => it.length / values.length) as [
    number,
    number,
  ];
  const a = new Float32Array(rank * inputCount);
  const b = new Float32Array(outputCount * rank);
  for (let r = 0; r < rank; r++) {
    const value = values[r]! / scale;
    const share = distribute ? Math.sqrt(value) : value;
    for (let i = 0; i < inputCount; i++)
      a[r * inputCount + i] = share * inputs[r * inputCount + i]!;
    const rest = distribute ? share : 1;
    for (let o = 0; o < outputCount; o++) b[o * rank + r] = rest * outputs[r * outputCount + o]!;
  }
  return { rank, a, b };
}

/** A and B as bytes of the written dtype, one after the other. */
export function factorBytes(
  { a, b }: Factors,
  dtype: ExtractionSettings["dtype"],
): Uint8Array<ArrayBuffer> {
  const [first, second] = [fromF32(a, dtype), fromF32(b, dtype)];
  const bytes = new Uint8Array(first.byteLength + second.byteLength);
  bytes.set(first);
  bytes.set(second, first.byteLength);
  return bytes;
}
