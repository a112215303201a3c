import type { WeightFormat } from "../../core/tensor/weightFormat.ts";
import type { ShaderConstants } from "../../gpu/shaderConstants.ts";

/** Forms of matrix multiplication: the shader and its constants. */
export const MATMUL_FORMS = [
  "registers",
  "registers8",
  "lanes",
  "subgroups",
  "tiles32",
  "tiles",
  "tiles128",
] as const;
export type MatmulForm = (typeof MATMUL_FORMS)[number];

/**
 * A matrix multiplication kernel. `registers` needs no workgroup memory and is for CPU adapters;
 * `lanes` for few rows, `tiles` for many. `+half` reads F16 with the GPU's own type.
 */
export type MatmulKernel = MatmulForm | `${MatmulForm}+half`;

/** Shape of a multiplication, as far as the choice of a kernel depends on it. */
export interface MatmulShape {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly format: WeightFormat;
  readonly layout: "out_in" | "in_out";
}

export type MatmulChoice = (shape: MatmulShape) => MatmulKernel;

/** Number of rows up to which reading the weights dominates. */
const FEW_ROWS = 8;

/** Default kernel for a number of rows: GPUs share work between lanes, CPUs do not. */
export function chooseMatmul(rows: number, software: boolean): MatmulKernel {
  if (software) return "registers";
  return rows <= FEW_ROWS ? "lanes" : "tiles";
}

/** Whether rows of the stored matrix are not whole quads. */
export function isOdd({ inputs, outputs, layout }: MatmulShape): boolean {
  return (layout === "out_in" ? inputs : outputs) % 4 !== 0;
}

/** Whether a device with these features can run a kernel on such a matrix. */
export function canRun(
  kernel: MatmulKernel,
  shape: MatmulShape,
  features: { has(feature: string): boolean },
): boolean {
  if (kernel.startsWith("subgroups") && !features.has("subgroups")) return false;
  if (!kernel.endsWith("+half")) return true;
  const readable = shape.format.name === "F16" && shape.layout === "out_in" && !isOdd(shape);
  return readable && features.has("shader-f16");
}

/** Shader, constants and workgroups of a multiplication. */
export interface MatmulProgram {
  readonly shader: string;
  readonly constants: ShaderConstants;
  readonly groups: readonly [number, number];
}

/** Invocations along a tile's edge, and rows of each. */
const TILES = {
  tiles32: { SIDE: 8, DOWN: 4 },
  tiles: { SIDE: 16, DOWN: 4 },
  tiles128: { SIDE: 16, DOWN: 8 },
} as const;

/** Form of a kernel, without how it reads weights. */
export function formOf(kernel: MatmulKernel): MatmulForm {
  return (kernel.endsWith("+half") ? kernel.slice(0, -"+half".length) : kernel) as MatmulForm;
}

/** Program of a form for a panel of so many outputs. */
export function matmulProgram(form: MatmulForm, rows: number, outputs: number): MatmulProgram {
  if (form === "tiles" || form === "tiles32" || form === "tiles128") {
    const constants = TILES[form];
    const [down, across] = [constants.SIDE * constants.DOWN, constants.SIDE * 4];
    const groups = [Math.ceil(outputs / across), Math.ceil(rows / down)] as const;
    return { shader: "nn/matmul_tiles.wgsl", constants, groups };
  }
  const quads = Math.ceil(outputs / 4);
  if (form === "lanes" || form === "subgroups") {
    const ROWS = rows === 1 ? 1 : 4;
    const groups = [quads, Math.ceil(rows / ROWS)] as const;
    return { shader: `nn/matmul_${form}.wgsl`, constants: { ROWS }, groups };
  }
  const ROWS = rows === 1 ? 1 : form === "registers" ? 4 : 8;
  const groups = [Math.ceil(quads / 64), Math.ceil(rows / ROWS)] as const;
  return { shader: "nn/matmul_registers.wgsl", constants: { ROWS }, groups };
}
