import type { Matrix } from "../decoder/weights.ts";
import { formOf, type MatmulKernel, matmulProgram } from "./matmulKernels.ts";
import type { Recorder } from "./recorder.ts";

/** Rows of f32 values in a buffer: row t starts at `offset + t · stride`. */
export interface Rows {
  readonly buffer: GPUBuffer;
  readonly stride: number;
  readonly offset: number;
}

/** Shader file that reads the weights, and whether it reads them value by value. */
function weightShader(
  matrix: Matrix,
  { layout, half }: { readonly layout: "out_in" | "in_out"; readonly half: boolean },
): readonly [string, boolean] {
  if (matrix.columns % 4 !== 0) return ["nn/weights_odd.wgsl", true];
  if (half) return ["nn/weights_half.wgsl", false];
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
  const half = kernel.endsWith("+half");
  const [shader, odd] = weightShader(matrix, { layout, half });
  for (const [i, panel] of matrix.panels.entries()) {
    const turned = layout === "in_out";
    const outputs = turned ? matrix.columns : panel.rows;
    const inputs = turned ? panel.rows : matrix.columns;
    const program = matmulProgram(formOf(kernel), rows, outputs);
    await recorder.add({
      shaders: [shader, program.shader],
      constants: {
        STORED: matrix.format.code,
        ...(odd ? { IN_OUT: turned } : {}),
        ...program.constants,
      },
      // WebGPU demands a buffer for every binding; without a bias it is not read.
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
        // Panels of inputs are added up: only the first adds the bias.
        bias && (!turned || i === 0) ? 1 : 0,
        turned ? 0 : panel.first,
        options.accumulate || (turned && i > 0) ? 1 : 0,
      ],
      groups: program.groups,
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
      constants: { STORED: table.format.code },
      reads: [indices, buffer],
      writes: [out.buffer],
      integers: [options.rows, table.columns, out.stride, first, count, options.accumulate ? 1 : 0],
      floats: [options.scale],
      groups: [Math.ceil(table.columns / 64), options.rows],
    });
  }
}
