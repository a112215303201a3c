import type { Kernels } from "../../runtime/decoder/layer.ts";
import type { LoadedProjection } from "../../runtime/decoder/loadedWeights.ts";
import type { Matrix } from "../../runtime/decoder/weights.ts";
import type { DecoderSpec } from "../../runtime/description/spec.ts";
import { multiply, type Rows } from "../../runtime/kernels/multiply.ts";
import type { Recorder } from "../../runtime/kernels/recorder.ts";
import type { LoadedAdapter } from "./adapters.ts";
import { addProducts } from "./kernels.ts";
import { addLowRank, dropRows } from "./rowKernels.ts";
import type { TrainingSpace } from "./space.ts";

/** Parts that all steps of one batch's forward and backward pass share. */
export interface TrainPass {
  readonly recorder: Recorder;
  /** Decoder with aligned rows. */
  readonly spec: DecoderSpec;
  readonly space: TrainingSpace;
  /** Tokens of the batch. */
  readonly rows: number;
  readonly kernels: Kernels;
  /** Gradient buffer of each trained buffer; frozen ones have none. */
  readonly gradients: ReadonlyMap<GPUBuffer, GPUBuffer>;
  /** Adapters by the name of the module's weight. */
  readonly adapters: ReadonlyMap<string, LoadedAdapter>;
  /** Four ones, for sums of columns. */
  readonly ones: Rows;
  /** Number of the call within the run, which seeds dropout; null: no dropout. */
  readonly step: number | null;
}

/** Buffers of a projection's adapter. */
export interface LowRank {
  /** drop(x) · Aᵀ, kept from the forward pass for the backward one. */
  readonly low: Rows;
  /** Whether `low` is already computed: the forward pass is being recomputed. */
  readonly kept: boolean;
  readonly dLow: Rows;
  /** Input of A after dropout; null without dropout. */
  readonly dropped: Rows | null;
  /** Index of the first row, which seeds dropout. */
  readonly first: number;
}

/** Multiplies with the kernel for the shape. */
export function multiplyRows(
  { recorder, kernels }: TrainPass,
  x: Rows,
  matrix: Matrix,
  out: Rows,
  options: {
    readonly rows: number;
    readonly layout: "out_in" | "in_out";
    readonly accumulate: boolean;
    readonly bias?: GPUBuffer | null;
  },
): Promise<void> {
  const { rows, layout, bias = null, accumulate } = options;
  const { format } = matrix;
  const [outputs, inputs] =
    layout === "out_in" ? [matrix.rows, matrix.columns] : [matrix.columns, matrix.rows];
  const kernel = kernels.matmul({ rows, inputs, outputs, format, layout });
  return multiply(recorder, x, matrix, out, { rows, layout, bias, accumulate, kernel });
}

const turned = (layout: "out_in" | "in_out") => (layout === "out_in" ? "in_out" : "out_in");

/** out (+)= W · x + bias + scale · B · A · drop(x). */
export async function project(
  pass: TrainPass,
  { spec, matrix, bias }: LoadedProjection,
  { x, out, lowRank }: { readonly x: Rows; readonly out: Rows; readonly lowRank: LowRank | null },
  { rows, accumulate }: { readonly rows: number; readonly accumulate: boolean },
): Promise<void> {
  await multiplyRows(pass, x, matrix, out, { rows, layout: spec.layout, bias, accumulate });
  const adapter = pass.adapters.get(spec.weight);
  if (!adapter || !lowRank) return;
  if (!lowRank.kept) await projectLow(pass, adapter, x, lowRank, rows);
  const shape = { rows, rank: adapter.rank, outputs: spec.outputs };
  await addLowRank(pass.recorder, lowRank.low, adapter.scaledB, out, shape);
}

/** low = drop(x) · Aᵀ. */
async function projectLow(
  pass: TrainPass,
  adapter: LoadedAdapter,
  x: Rows,
  lowRank: LowRank,
  rows: number,
): Promise<void> {
  const seen = await drop(pass, adapter, x, lowRank, rows);
  const plain = { rows, layout: "out_in", accumulate: false } as const;
  await multiplyRows(pass, seen, adapter.aMatrix, lowRank.low, plain);
}

/** Dropout of an adapter in a call of the run: a pure function of seed, step and module. */
function dropOf({ seed, index, dropout }: LoadedAdapter, step: number) {
  let key = seed | 0;
  for (const part of [step, index]) {
    key = Math.imul(key ^ part, 0x9e3779b1);
    key = Math.imul(key ^ (key >>> 15), 0x85ebca6b);
    key ^= key >>> 13;
  }
  return { key: key >>> 0, part: dropout };
}

async function drop(
  pass: TrainPass,
  adapter: LoadedAdapter,
  x: Rows,
  { dropped, first }: LowRank,
  rows: number,
): Promise<Rows> {
  if (pass.step === null || adapter.dropout === 0 || !dropped) return x;
  const [, columns] = adapter.a.shape as [number, number];
  const shape = { rows, columns, first, accumulate: false };
  await dropRows(pass.recorder, x, dropped, dropOf(adapter, pass.step), shape);
  return dropped;
}

/** Adds to the gradients of a projection, and computes that of its input where `dx` is given. */
export async function projectBackward(
  pass: TrainPass,
  projection: LoadedProjection,
  buffers: {
    readonly x: Rows;
    readonly dy: Rows;
    readonly dx: Rows | null;
    readonly lowRank: LowRank | null;
  },
  { rows, accumulate }: { readonly rows: number; readonly accumulate: boolean },
): Promise<void> {
  const { spec, matrix } = projection;
  const { dy, dx, lowRank } = buffers;
  await addWeightGradients(pass, projection, buffers, rows);
  if (dx) {
    await multiplyRows(pass, dy, matrix, dx, { rows, layout: turned(spec.layout), accumulate });
  }
  const adapter = pass.adapters.get(spec.weight);
  if (adapter && lowRank) await adapterBackward(pass, adapter, { ...buffers, lowRank }, rows);
}

async function addWeightGradients(
  pass: TrainPass,
  { spec, matrix, bias }: LoadedProjection,
  { x, dy }: { readonly x: Rows; readonly dy: Rows },
  rows: number,
): Promise<void> {
  const { inputs, outputs, layout } = spec;
  const gradient = pass.gradients.get(matrix.panels[0]?.buffer as GPUBuffer);
  if (gradient && layout === "out_in") {
    await addProducts(pass.recorder, dy, x, gradient, { rows, lefts: outputs, rights: inputs });
  } else if (gradient) {
    await addProducts(pass.recorder, x, dy, gradient, { rows, lefts: inputs, rights: outputs });
  }
  await addColumns(pass, bias, dy, { rows, columns: outputs });
}

/** Adds column sums to a vector's gradient, where it has one. */
export async function addColumns(
  pass: TrainPass,
  vector: GPUBuffer | null,
  values: Rows,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Promise<void> {
  const gradient = vector && pass.gradients.get(vector);
  if (!gradient) return;
  await addProducts(pass.recorder, pass.ones, values, gradient, {
    rows,
    lefts: 1,
    rights: columns,
  });
}

async function adapterBackward(
  pass: TrainPass,
  adapter: LoadedAdapter,
  buffers: {
    readonly x: Rows;
    readonly dy: Rows;
    readonly dx: Rows | null;
    readonly lowRank: LowRank;
  },
  rows: number,
): Promise<void> {
  const { recorder } = pass;
  const { a, b, rank, aMatrix, scale } = adapter;
  const { x, dy, dx, lowRank } = buffers;
  const { low, dLow } = lowRank;
  const [inputs, outputs] = [a.shape[1] as number, b.shape[0] as number];
  const turnedBack = { rows, layout: "in_out" } as const;
  await addProducts(recorder, dy, low, b.gradient, { rows, lefts: outputs, rights: rank, scale });
  await multiplyRows(pass, dy, adapter.scaledMatrix, dLow, { ...turnedBack, accumulate: false });
  const seen = await drop(pass, adapter, x, lowRank, rows);
  await addProducts(recorder, dLow, seen, a.gradient, { rows, lefts: rank, rights: inputs });
  if (!dx) return;
  if (seen === x) {
    await multiplyRows(pass, dLow, aMatrix, dx, { ...turnedBack, accumulate: true });
    return;
  }
  await multiplyRows(pass, dLow, aMatrix, seen, { ...turnedBack, accumulate: false });
  const shape = { rows, columns: inputs, first: lowRank.first, accumulate: true };
  await dropRows(recorder, seen, dx, dropOf(adapter, pass.step as number), shape);
}
