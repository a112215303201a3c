import type { OutputDType } from "../contract/index.ts";
import type { Recorder } from "./recorder.ts";
import type { Activation, AttentionSpec, NormSpec } from "./spec.ts";
import type { Matrix } from "./weights.ts";

/** Rows of f32 values in a buffer: row t starts at `offset + t · stride`. */
export interface Rows {
  readonly buffer: GPUBuffer;
  readonly stride: number;
  readonly offset: number;
}

/** Codes of shaders/nn/weights_dtype.wgsl. */
const STORED = { F32: 0, BF16: 1, F16: 2 } as const satisfies Record<OutputDType, number>;
const ACTIVATION = { silu: 0, gelu: 1, gelu_tanh: 2, relu: 3 } as const satisfies Record<
  Activation,
  number
>;

/** How matrices are multiplied. `registers` needs no workgroup memory and suits CPUs. */
export type MatmulKernel = "registers" | "lanes" | "tiles";
export type AttentionKernel = "row" | "lanes";

const TILE = 64;
const REGISTER_ROWS = 4;
/** Up to this many rows, reading the weights is what takes the time. */
const FEW_ROWS = 8;

/** The kernel for a shape: GPUs share work between lanes, CPUs do not. */
export function chooseMatmul(rows: number, software: boolean): MatmulKernel {
  if (software) return "registers";
  return rows <= FEW_ROWS ? "lanes" : "tiles";
}

function weightShader(matrix: Matrix, layout: "out_in" | "in_out"): readonly [string, boolean] {
  const whole = matrix.columns % 4 === 0;
  if (!whole) return ["nn/weights_odd.wgsl", true];
  return [layout === "out_in" ? "nn/weights_rows.wgsl" : "nn/weights_columns.wgsl", false];
}

/**
 * out[t, column + o] (+)= Σₖ x[t, k] · w[o, k] + bias[o]. Rows of x start at whole quads and are
 * finite up to the next one. `layout` says how w is stored.
 */
export async function multiply(
  recorder: Recorder,
  x: Rows,
  matrix: Matrix,
  out: Rows,
  options: {
    readonly rows: number;
    readonly layout: "out_in" | "in_out";
    readonly bias: GPUBuffer | null;
    readonly accumulate: boolean;
    readonly kernel: MatmulKernel;
  },
): Promise<void> {
  const { rows, layout, bias, kernel } = options;
  const [shader, odd] = weightShader(matrix, layout);
  const registerRows = rows === 1 ? 1 : REGISTER_ROWS;
  for (const [i, panel] of matrix.panels.entries()) {
    const turned = layout === "in_out";
    const outputs = turned ? matrix.columns : panel.rows;
    const inputs = turned ? panel.rows : matrix.columns;
    const quads = Math.ceil(outputs / 4);
    await recorder.add({
      shaders: [shader, `nn/matmul_${kernel}.wgsl`],
      constants: {
        STORED: STORED[matrix.dtype],
        ...(odd ? { IN_OUT: turned } : {}),
        ...(kernel === "registers" ? { ROWS: registerRows } : {}),
      },
      // A layout must bind something: where there is no bias it is not read.
      reads: [x.buffer, panel.buffer, bias ?? panel.buffer],
      writes: [out.buffer],
      integers: [
        rows,
        inputs,
        outputs,
        x.stride / 4,
        (x.offset + (turned ? panel.first : 0)) / 4,
        out.stride,
        out.offset + (turned ? 0 : panel.first),
        // Panels of inputs add up: the first one brings the bias.
        bias && (!turned || i === 0) ? 1 : 0,
        turned ? 0 : panel.first,
        options.accumulate || (turned && i > 0) ? 1 : 0,
      ],
      groups:
        kernel === "tiles"
          ? [Math.ceil(outputs / TILE), Math.ceil(rows / TILE)]
          : kernel === "lanes"
            ? [quads, rows]
            : [Math.ceil(quads / 64), Math.ceil(rows / registerRows)],
    });
  }
}

/** out[t] (+)= scale · table[indices[t]]. */
export async function embed(
  recorder: Recorder,
  indices: GPUBuffer,
  table: Matrix,
  out: Rows,
  options: { readonly rows: number; readonly scale: number; readonly accumulate: boolean },
): Promise<void> {
  for (const { buffer, first, rows: count } of table.panels) {
    await recorder.add({
      shaders: ["nn/embed.wgsl"],
      constants: { STORED: STORED[table.dtype] },
      reads: [indices, buffer],
      writes: [out.buffer],
      integers: [options.rows, table.columns, out.stride, first, count, options.accumulate ? 1 : 0],
      floats: [options.scale],
      groups: [Math.ceil(table.columns / 64), options.rows],
    });
  }
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
  },
): Promise<void> {
  return recorder.add({
    shaders: ["nn/norm.wgsl"],
    constants: { CENTRED: spec.kind === "layer" },
    reads: [x.buffer, weight, bias ?? weight],
    writes: [y.buffer],
    integers: [
      shape.width,
      x.stride,
      x.offset,
      x.groupStride ?? 0,
      y.stride,
      y.offset,
      y.groupStride ?? 0,
      shape.accumulate ? 1 : 0,
    ],
    floats: [spec.epsilon],
    groups: [shape.groups ?? 1, shape.rows],
  });
}

/** Quads of a head, the last one filled up with zeros. */
export function headQuads({ headDim }: AttentionSpec): number {
  return Math.ceil(headDim / 4);
}

/** Turns queries and keys to their positions and puts keys and values into the cache. */
export function rotate(
  recorder: Recorder,
  spec: AttentionSpec,
  buffers: {
    /** After the head norms, where there are some. */
    readonly turned: GPUBuffer;
    readonly plain: GPUBuffer;
    readonly angles: GPUBuffer;
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
    reads: [buffers.turned, buffers.plain, buffers.angles],
    writes: [buffers.queries, buffers.keys, buffers.values],
    integers: [
      ...[rows, start, heads, kvHeads, headDim, rope?.pairs ?? 0, spec.rowStride],
      ...[query, key, value].flatMap(({ offset, headStride }) => [offset, headStride]),
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
  },
  shape: {
    readonly rows: number;
    readonly start: number;
    readonly window: number | null;
    readonly scale: number;
    readonly kernel: AttentionKernel;
  },
): Promise<void> {
  const { rows, start, kernel } = shape;
  return recorder.add({
    shaders: [`nn/attention_${kernel}.wgsl`],
    constants: { QUADS: headQuads(spec) },
    reads: [buffers.queries, buffers.keys, buffers.values],
    writes: [buffers.out.buffer, buffers.logSums],
    integers: [
      ...[rows, start, spec.heads, spec.kvHeads, spec.headDim],
      ...[shape.window ?? 0, buffers.out.stride],
    ],
    floats: [shape.scale, spec.softcap ?? 0],
    groups: kernel === "row" ? [Math.ceil((spec.heads * rows) / 32), 1] : [spec.heads, rows],
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
