import type { Rows } from "../../runtime/kernels/multiply.ts";
import type { Recorder } from "../../runtime/kernels/recorder.ts";

/** out[t, o] += Σⱼ low[t, j] · b[o, j], over rows that start at whole quads. */
export function addLowRank(
  recorder: Recorder,
  low: Rows,
  b: GPUBuffer,
  out: Rows,
  shape: { readonly rows: number; readonly rank: number; readonly outputs: number },
): Promise<void> {
  const { rows, rank, outputs } = shape;
  const places = [low.stride, low.offset, out.stride, out.offset].map((place) => place / 4);
  return recorder.add({
    shaders: ["nn/backward/low_rank.wgsl"],
    reads: [low.buffer, b],
    writes: [out.buffer],
    integers: [rows, rank, outputs, ...places],
    groups: [Math.ceil(outputs / 256), Math.ceil(rows / 4)],
  });
}

/** out[t, c] = scale · table[c, indices[t]], of a table `[columns, tableStride]`. */
export function gatherColumns(
  recorder: Recorder,
  indices: GPUBuffer,
  table: { readonly buffer: GPUBuffer; readonly stride: number },
  out: Rows,
  shape: { readonly rows: number; readonly columns: number; readonly scale: number },
): Promise<void> {
  return recorder.add({
    shaders: ["nn/backward/gather.wgsl"],
    reads: [indices, table.buffer],
    writes: [out.buffer],
    integers: [shape.rows, shape.columns, table.stride, out.stride],
    floats: [shape.scale],
    groups: [Math.ceil(shape.columns / 64), shape.rows],
  });
}

/** out[key, c] += scale · Σ x[t, c] over the rows t of every key; `lists` are of `groupRows`. */
export function scatterRows(
  recorder: Recorder,
  x: Rows,
  lists: { readonly buffer: GPUBuffer; readonly groups: number },
  out: {
    readonly buffer: GPUBuffer;
    readonly keyStride: number;
    readonly columnStride: number;
  },
  shape: { readonly columns: number; readonly scale: number },
): Promise<void> {
  return recorder.add({
    shaders: ["nn/backward/scatter.wgsl"],
    reads: [x.buffer, lists.buffer],
    writes: [out.buffer],
    integers: [lists.groups, shape.columns, x.stride, out.keyStride, out.columnStride],
    floats: [shape.scale],
    groups: [Math.ceil(shape.columns / 64), lists.groups],
  });
}

/** Dropout: which elements are dropped, and their fraction. */
export interface Drop {
  readonly key: number;
  readonly part: number;
}

/** y (+)= x / (1 - part), but for the elements that are dropped; `first` is x's first row. */
export function dropRows(
  recorder: Recorder,
  x: Rows,
  y: Rows,
  { key, part }: Drop,
  shape: {
    readonly rows: number;
    readonly columns: number;
    readonly first: number;
    readonly accumulate: boolean;
  },
): Promise<void> {
  return recorder.add({
    shaders: ["nn/backward/dropout.wgsl"],
    reads: [x.buffer],
    writes: [y.buffer],
    integers: [
      shape.rows,
      shape.columns,
      x.stride,
      x.offset,
      y.stride,
      y.offset,
      shape.first,
      key,
      Math.floor(part * 2 ** 32),
      shape.accumulate ? 1 : 0,
    ],
    floats: [1 / (1 - part)],
    groups: [Math.ceil(shape.columns / 64), shape.rows],
  });
}

/** Words that describe a row of the loss kernel. */
export const LOSS_ROW_WORDS = 5;

/** Losses of rows of logits and, on request, their gradient in place of the logits. */
export function lose(
  recorder: Recorder,
  buffers: {
    /** Label, weight (f32), first and last entry, and tail (f32) of each row. */
    readonly rows: GPUBuffer;
    /** Token and probability (f32) of each entry. */
    readonly entries: GPUBuffer;
    readonly logits: Rows;
    /** CLM and fusion loss of each row, from `first` on. */
    readonly nats: GPUBuffer;
    /** One value per entry. */
    readonly taken: GPUBuffer;
  },
  shape: {
    readonly rows: number;
    readonly columns: number;
    readonly first: number;
    readonly differentiate: boolean;
    readonly lambda: number;
    readonly softcap: number | null;
  },
): Promise<void> {
  const { rows, entries, logits, nats, taken } = buffers;
  return recorder.add({
    shaders: ["nn/backward/loss.wgsl"],
    reads: [rows, entries],
    writes: [logits.buffer, nats, taken],
    integers: [shape.columns, logits.stride, shape.first, shape.differentiate ? 1 : 0],
    floats: [shape.lambda, shape.softcap ?? 0],
    groups: [shape.rows, 1],
  });
}
