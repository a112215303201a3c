import type { Gpu } from "../gpu/device.ts";
import {
  canRun,
  chooseMatmul,
  isOdd,
  type MatmulChoice,
  type MatmulForm,
  type MatmulKernel,
  type MatmulShape,
} from "./matmulKernels.ts";
import { multiply } from "./multiply.ts";
import type { Recorder } from "./recorder.ts";
import type { Contest, Winners } from "./tune.ts";

/** Shapes up to `most` rows are one class, which `rows` of them stand for. */
interface RowClass {
  readonly most: number;
  readonly rows: number;
  /** Forms that may suit a GPU; the rule's comes first. */
  readonly forms: readonly MatmulForm[];
}
const ROW_CLASSES: readonly RowClass[] = [
  { most: 1, rows: 1, forms: ["lanes", "subgroups", "registers"] },
  { most: 8, rows: 8, forms: ["lanes", "subgroups", "registers8", "tiles32"] },
  { most: 64, rows: 64, forms: ["tiles", "tiles32", "lanes", "subgroups"] },
  { most: Number.POSITIVE_INFINITY, rows: 128, forms: ["tiles", "tiles32", "tiles128"] },
];
/**
 * On adapters that compute on the CPU everything with barriers loses many times over, and takes most
 * of a second to compile: only what might win is timed.
 */
const SOFTWARE_FORMS: readonly MatmulForm[] = ["registers", "registers8"];

/** Weights up to `most` are one class, which a matrix of `inputs` × `outputs` stands for. */
const SIZE_CLASSES = [
  { name: "small", most: 2 ** 21, inputs: 1024, outputs: 1024 },
  { name: "large", most: Number.POSITIVE_INFINITY, inputs: 2048, outputs: 4096 },
] as const;
const SOFTWARE_SIDE = 256;
const SOFTWARE_ROWS = 16;
const BYTES = { F32: 4, BF16: 2, F16: 2 } as const;

const rowClassOf = (rows: number) =>
  ROW_CLASSES.find(({ most }) => rows <= most) ?? ROW_CLASSES[0]!;
const sizeClassOf = ({ inputs, outputs }: MatmulShape) =>
  SIZE_CLASSES.find(({ most }) => inputs * outputs <= most) ?? SIZE_CLASSES[0];

function contestName(shape: MatmulShape): string {
  const { rows, dtype, layout } = shape;
  return ["matmul", `${rowClassOf(rows).rows}`, sizeClassOf(shape).name, dtype, layout].join(" ");
}

/** The kernels that may run on a shape, the rule's first. */
export function matmulCandidates(gpu: Gpu, shape: MatmulShape): readonly MatmulKernel[] {
  const forms = gpu.software ? SOFTWARE_FORMS : rowClassOf(shape.rows).forms;
  // One row is one row in both.
  const distinct = gpu.software && shape.rows === 1 ? forms.slice(0, 1) : forms;
  return distinct
    .flatMap((form): MatmulKernel[] => [form, `${form}+half`])
    .filter((kernel) => canRun(kernel, shape, gpu.device.features));
}

/** The contests that shapes of these kinds call for, each once. Odd matrices keep to the rule. */
export function matmulContests(gpu: Gpu, shapes: readonly MatmulShape[]): readonly Contest[] {
  const regular = shapes.filter((shape) => !isOdd(shape));
  const byName = new Map(regular.map((shape) => [contestName(shape), shape]));
  return [...byName].map(([name, shape]) => ({
    name,
    candidates: matmulCandidates(gpu, shape),
    prepare: (recorder) => prepareMatmul(recorder, shape),
  }));
}

/** What stands for all shapes of the same class. */
function standIn(shape: MatmulShape, software: boolean) {
  const { rows } = rowClassOf(shape.rows);
  const { inputs, outputs } = sizeClassOf(shape);
  if (!software) return { rows, inputs, outputs };
  return { rows: Math.min(rows, SOFTWARE_ROWS), inputs: SOFTWARE_SIDE, outputs: SOFTWARE_SIDE };
}

/** Buffers of a representative shape, of zeros: their values take no time. */
function prepareMatmul(recorder: Recorder, shape: MatmulShape) {
  const { gpu } = recorder;
  const { dtype, layout } = shape;
  const { rows, inputs, outputs } = standIn(shape, gpu.software);
  const made: { release(): void }[] = [];
  const allocate = (bytes: number) => {
    const pooled = gpu.pool.allocate("tuning", bytes, GPUBufferUsage.STORAGE);
    made.push(pooled);
    return pooled.buffer;
  };
  const release = () => {
    for (const buffer of made) buffer.release();
  };
  try {
    const [stored, columns] = layout === "out_in" ? [outputs, inputs] : [inputs, outputs];
    const weights = allocate(inputs * outputs * BYTES[dtype]);
    const panels = [{ buffer: weights, first: 0, rows: stored }];
    const matrix = { panels, dtype, rows: stored, columns };
    const x = { buffer: allocate(4 * rows * inputs), stride: inputs, offset: 0 };
    const out = { buffer: allocate(4 * rows * outputs), stride: outputs, offset: 0 };
    const options = { rows, layout, bias: null, accumulate: false };
    const run = (kernel: string) =>
      multiply(recorder, x, matrix, out, { ...options, kernel: kernel as MatmulKernel });
    return { run, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** What was decided, and the rule for all else. */
export function matmulChoice(gpu: Gpu, winners: Winners): MatmulChoice {
  return (shape) => {
    const winner = isOdd(shape) ? undefined : winners.get(contestName(shape));
    return (winner as MatmulKernel | undefined) ?? chooseMatmul(shape.rows, gpu.software);
  };
}
