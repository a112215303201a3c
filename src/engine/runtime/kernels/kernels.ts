import type { Activation, AttentionSpec, NormSpec } from "../description/spec.ts";
import type { Rows } from "./multiply.ts";
import type { Recorder } from "./recorder.ts";

/** Activation codes of shaders/nn/activations.wgsl. */
export const ACTIVATION = { silu: 0, gelu: 1, gelu_tanh: 2, relu: 3 } as const satisfies Record<
  Activation,
  number
>;

/**
 * Attention kernels: `row` for CPU adapters; `queries` reads keys once for 16 rows, `lanes` once
 * per row.
 */
export const ATTENTION_KERNELS = ["row", "lanes", "queries"] as const;
export type AttentionKernel = (typeof ATTENTION_KERNELS)[number];

const QUERIES = 16;
/** Quads of a head that the workgroup memory of `queries` holds. */
const MOST_QUADS = 32;

/** Whether heads are small enough for `queries`. */
export function fitsQueries(spec: AttentionSpec): boolean {
  return headQuads(spec) <= MOST_QUADS;
}

/** Attention kernel for a number of rows: GPUs share work between lanes, CPUs do not. */
export function chooseAttention(
  spec: AttentionSpec,
  rows: number,
  software: boolean,
): AttentionKernel {
  if (software) return "row";
  return rows >= QUERIES && fitsQueries(spec) ? "queries" : "lanes";
}

/** Unit of work of a row kernel: a workgroup's lanes per row, or one invocation per row on CPUs. */
export type RowKernel = "lanes" | "alone";

/** Workgroups along x and y for `groups` parts of each of `rows` rows. */
export function rowGroups(
  kernel: RowKernel,
  rows: number,
  groups: number,
): readonly [number, number] {
  return kernel === "lanes" ? [groups, rows] : [Math.ceil(rows / 32), groups];
}

/** y[t, g] (+)= norm(x[t, g]) for every row t and every group (head) g in it. */
export function normalise(
  recorder: Recorder,
  spec: NormSpec,
  { weight, bias }: { readonly weight: GPUBuffer; readonly bias: GPUBuffer | null },
  x: Rows & { readonly groupStride?: number },
  y: Rows & { readonly groupStride?: number },
  shape: {
    readonly rows: number;
    readonly width: number;
    readonly groups?: number;
    readonly accumulate?: boolean;
    /** Kernel to use instead of the adapter's. */
    readonly kernel?: RowKernel;
  },
): Promise<void> {
  const kernel = shape.kernel ?? (recorder.gpu.software ? "alone" : "lanes");
  return recorder.add({
    shaders: ["nn/norm.wgsl", `nn/row_${kernel}.wgsl`],
    constants: { CENTRED: spec.kind === "layer" },
    reads: [x.buffer, weight, bias ?? weight],
    writes: [y.buffer],
    integers: [
      shape.rows,
      shape.width,
      x.stride,
      x.offset,
      x.groupStride ?? 0,
      y.stride,
      y.offset,
      y.groupStride ?? 0,
      shape.accumulate ? 1 : 0,
    ],
    floats: [spec.epsilon, spec.weightOffset],
    groups: rowGroups(kernel, shape.rows, shape.groups ?? 1),
  });
}

/** Quads of a head, the last one padded with zeros. */
export function headQuads({ headDim }: AttentionSpec): number {
  return Math.ceil(headDim / 4);
}

/** An angle table within a buffer: `[rows][pairs]` of (cos, sin), from pair `first` on. */
export interface Angles {
  readonly buffer: GPUBuffer;
  readonly first: number;
}

/** Rotates queries and keys by their positions and writes keys and values to the cache. */
export function rotate(
  recorder: Recorder,
  spec: AttentionSpec,
  buffers: {
    /** Queries and keys after the head norms, where there are some. */
    readonly turned: GPUBuffer;
    readonly plain: GPUBuffer;
    readonly angles: Angles;
    readonly queries: GPUBuffer;
    readonly keys: GPUBuffer;
    readonly values: GPUBuffer;
  },
  { rows, start }: { readonly rows: number; readonly start: number },
): Promise<void> {
  const { heads, kvHeads, headDim, rope, query, key, value } = spec;
  const width = (heads + 2 * kvHeads) * headQuads(spec) * 4;
  return recorder.add({
    shaders: ["nn/rope.wgsl"],
    reads: [buffers.turned, buffers.plain, buffers.angles.buffer],
    writes: [buffers.queries, buffers.keys, buffers.values],
    integers: [
      rows,
      start,
      heads,
      kvHeads,
      headDim,
      rope?.pairs ?? 0,
      spec.rowStride,
      ...[query, key, value].flatMap(({ offset, headStride }) => [offset, headStride]),
      buffers.angles.first,
    ],
    groups: [Math.ceil(width / 64), rows],
  });
}

/** Causal attention of `rows` queries over the cache up to themselves. */
export function attend(
  recorder: Recorder,
  spec: AttentionSpec,
  buffers: {
    readonly queries: GPUBuffer;
    readonly keys: GPUBuffer;
    readonly values: GPUBuffer;
    readonly out: Rows;
    readonly logSums: GPUBuffer;
    /** Start of each row's document; absent: all start at 0. */
    readonly documents?: GPUBuffer;
  },
  shape: {
    readonly rows: number;
    readonly start: number;
    readonly kernel: AttentionKernel;
  },
): Promise<void> {
  const { rows, start, kernel } = shape;
  return recorder.add({
    shaders: [`nn/attention_${kernel}.wgsl`],
    constants: { QUADS: headQuads(spec) },
    reads: [buffers.queries, buffers.keys, buffers.values, buffers.documents ?? buffers.keys],
    writes: [buffers.out.buffer, buffers.logSums],
    integers: [
      rows,
      start,
      spec.heads,
      spec.kvHeads,
      spec.headDim,
      spec.window ?? 0,
      buffers.out.stride,
      buffers.documents ? 1 : 0,
    ],
    floats: [spec.scale, spec.softcap ?? 0],
    groups: {
      row: [Math.ceil((spec.heads * rows) / 32), 1] as const,
      lanes: [spec.heads, rows] as const,
      queries: [spec.heads, Math.ceil(rows / QUERIES)] as const,
    }[kernel],
  });
}

/** y = act(gate) · up, or act(up) where there is no gate. */
export function activate(
  recorder: Recorder,
  activation: Activation,
  x: { readonly buffer: GPUBuffer; readonly stride: number },
  columns: { readonly gate: number | null; readonly up: number; readonly count: number },
  y: Rows,
  rows: number,
): Promise<void> {
  return recorder.add({
    shaders: ["nn/activation.wgsl"],
    constants: { ACTIVATION: ACTIVATION[activation], GATED: columns.gate !== null },
    reads: [x.buffer],
    writes: [y.buffer],
    integers: [rows, columns.count, x.stride, columns.gate ?? 0, columns.up, y.stride],
    groups: [Math.ceil(columns.count / 64), rows],
  });
}

/** x = cap · tanh(x / cap), in place. */
export function softcap(
  recorder: Recorder,
  x: Rows,
  cap: number,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Promise<void> {
  return recorder.add({
    shaders: ["nn/softcap.wgsl"],
    reads: [],
    writes: [x.buffer],
    integers: [rows, columns, x.stride],
    floats: [cap],
    groups: [Math.ceil(columns / 64), rows],
  });
}

/** nats[first + t] of the target of row t. */
export function crossEntropy(
  recorder: Recorder,
  logits: { readonly buffer: GPUBuffer; readonly stride: number },
  targets: GPUBuffer,
  nats: GPUBuffer,
  shape: { readonly rows: number; readonly columns: number; readonly first: number },
): Promise<void> {
  return recorder.add({
    shaders: ["nn/cross_entropy.wgsl"],
    reads: [logits.buffer, targets],
    writes: [nats],
    integers: [shape.columns, logits.stride, shape.first],
    groups: [shape.rows, 1],
  });
}
