import type { Activation, AttentionSpec, NormSpec } from "../../runtime/description/spec.ts";
import {
  ACTIVATION,
  type Angles,
  headQuads,
  type RowKernel,
  rowGroups,
} from "../../runtime/kernels/kernels.ts";
import type { Rows } from "../../runtime/kernels/multiply.ts";
import type { Recorder } from "../../runtime/kernels/recorder.ts";

/** Rows of several heads each, `groupStride` apart. */
type Grouped = Rows & { readonly groupStride?: number };

/** gradient[a, b] += scale · Σₜ left[t, a] · right[t, b], over rows that start at whole quads. */
export function addProducts(
  recorder: Recorder,
  left: Rows,
  right: Rows,
  gradient: GPUBuffer,
  shape: {
    readonly rows: number;
    readonly lefts: number;
    readonly rights: number;
    readonly scale?: number;
  },
): Promise<void> {
  const { rows, lefts, rights, scale = 1 } = shape;
  const places = [left.stride, left.offset, right.stride, right.offset].map((place) => place / 4);
  return recorder.add({
    shaders: ["nn/backward/gradient.wgsl"],
    reads: [left.buffer, right.buffer],
    writes: [gradient],
    integers: [rows, lefts, rights, ...places],
    floats: [scale],
    groups: [Math.ceil(rights / 256), Math.ceil(lefts / 4)],
  });
}

interface NormShape {
  readonly rows: number;
  readonly width: number;
  readonly groups?: number;
  /** Kernel to use instead of the adapter's. */
  readonly kernel?: RowKernel;
}

function recordNorm(
  recorder: Recorder,
  shader: "norm_inputs" | "norm_weights",
  spec: NormSpec,
  buffers: {
    readonly x: Grouped;
    readonly weight: GPUBuffer;
    readonly dy: Grouped;
    readonly out: Grouped;
  },
  shape: NormShape & { readonly accumulate: boolean },
): Promise<void> {
  const { kernel = recorder.gpu.software ? "alone" : "lanes" } = shape;
  const { x, weight, dy, out } = buffers;
  const places = [x, dy, out].flatMap((at) => [at.stride, at.offset, at.groupStride ?? 0]);
  return recorder.add({
    shaders: [`nn/backward/${shader}.wgsl`, `nn/row_${kernel}.wgsl`],
    constants: { CENTRED: spec.kind === "layer" },
    reads: [x.buffer, weight, dy.buffer],
    writes: [out.buffer],
    integers: [shape.rows, shape.width, ...places, shape.accumulate ? 1 : 0],
    floats: [spec.epsilon, spec.weightOffset],
    groups: rowGroups(kernel, shape.rows, shape.groups ?? 1),
  });
}

/** dx[t, g] (+)= gradient of a norm's input x[t, g], from the gradient of its output. */
export function normaliseBackward(
  recorder: Recorder,
  spec: NormSpec,
  buffers: {
    readonly x: Grouped;
    readonly weight: GPUBuffer;
    readonly dy: Grouped;
    readonly dx: Grouped;
  },
  shape: NormShape & { readonly accumulate: boolean },
): Promise<void> {
  return recordNorm(recorder, "norm_inputs", spec, { ...buffers, out: buffers.dx }, shape);
}

/** out[t, g] = dy[t, g] ∘ x̂[t, g], whose columns add up to the gradient of a norm's weight. */
export function scaleByNormed(
  recorder: Recorder,
  spec: NormSpec,
  buffers: {
    readonly x: Grouped;
    readonly weight: GPUBuffer;
    readonly dy: Grouped;
    readonly out: Grouped;
  },
  shape: NormShape,
): Promise<void> {
  return recordNorm(recorder, "norm_weights", spec, buffers, { ...shape, accumulate: false });
}

/** Gradients of gate and up, written over them, from the gradient of the activation. */
export function activateBackward(
  recorder: Recorder,
  activation: Activation,
  buffers: { readonly x: Rows; readonly dy: Rows; readonly dx: Rows },
  columns: { readonly gate: number | null; readonly up: number; readonly count: number },
  rows: number,
): Promise<void> {
  const { x, dy, dx } = buffers;
  return recorder.add({
    shaders: ["nn/backward/activation.wgsl"],
    constants: { ACTIVATION: ACTIVATION[activation], GATED: columns.gate !== null },
    reads: [x.buffer, dy.buffer],
    writes: [dx.buffer],
    integers: [rows, columns.count, x.stride, columns.gate ?? 0, columns.up, dy.stride],
    groups: [Math.ceil(columns.count / 64), rows],
  });
}

/** Heads to take: queries, keys and values, or some of them. */
export type Heads = "all" | "queries and keys" | "values";

/** Gradients of heads, rotated back where `rotate` rotated them, in the projections' row layout. */
export function unrotate(
  recorder: Recorder,
  spec: AttentionSpec,
  buffers: {
    readonly dQueries: GPUBuffer;
    readonly dKeys: GPUBuffer;
    readonly dValues: GPUBuffer;
    readonly angles: Angles;
    readonly out: GPUBuffer;
  },
  { rows, which }: { readonly rows: number; readonly which: Heads },
): Promise<void> {
  const { heads, kvHeads, headDim, rope, query, key, value } = spec;
  const turned = heads + kvHeads;
  const first = which === "values" ? turned : 0;
  const count = which === "values" ? kvHeads : which === "all" ? turned + kvHeads : turned;
  return recorder.add({
    shaders: ["nn/backward/unrotate.wgsl"],
    reads: [buffers.dQueries, buffers.dKeys, buffers.dValues, buffers.angles.buffer],
    writes: [buffers.out],
    integers: [
      rows,
      first,
      count,
      heads,
      kvHeads,
      headDim,
      rope?.pairs ?? 0,
      spec.rowStride,
      ...[query, key, value].flatMap(({ offset, headStride }) => [offset, headStride]),
      buffers.angles.first,
    ],
    groups: [Math.ceil((count * headDim) / 64), rows],
  });
}

/**
 * Gradients of rotated queries, keys and values, from the gradient of attention's output. `logSums`
 * and `out` are from `attend`.
 */
export async function attendBackward(
  recorder: Recorder,
  spec: AttentionSpec,
  buffers: {
    readonly queries: GPUBuffer;
    readonly keys: GPUBuffer;
    readonly values: GPUBuffer;
    readonly logSums: GPUBuffer;
    readonly documents: GPUBuffer;
    readonly out: Rows;
    readonly dOut: Rows;
    /** As large as the queries. */
    readonly paddedOut: GPUBuffer;
    /** Two values per row and head. */
    readonly sums: GPUBuffer;
    readonly dQueries: GPUBuffer;
    readonly dKeys: GPUBuffer;
    readonly dValues: GPUBuffer;
  },
  rows: number,
): Promise<void> {
  const { heads, kvHeads, headDim } = spec;
  const { out, dOut, paddedOut, sums } = buffers;
  await recorder.add({
    shaders: ["nn/backward/attention_deltas.wgsl"],
    reads: [out.buffer, dOut.buffer, buffers.logSums],
    writes: [paddedOut, sums],
    integers: [rows, heads, headDim, out.stride],
    groups: [Math.ceil((rows * heads) / 64), 1],
  });
  const common = {
    constants: { QUADS: headQuads(spec) },
    reads: [buffers.queries, buffers.keys, buffers.values, paddedOut, sums, buffers.documents],
    integers: [rows, heads, kvHeads, headDim, spec.window ?? 0],
    floats: [spec.scale, spec.softcap ?? 0],
  };
  await recorder.add({
    ...common,
    shaders: ["nn/backward/attention_queries.wgsl"],
    writes: [buffers.dQueries],
    groups: [Math.ceil((rows * heads) / 32), 1],
  });
  await recorder.add({
    ...common,
    shaders: ["nn/backward/attention_keys.wgsl"],
    writes: [buffers.dKeys, buffers.dValues],
    groups: [Math.ceil((rows * kvHeads) / 32), 1],
  });
}
