import { formatBytes } from "../../core/tensor/weightFormat.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { ResourceScope } from "../../gpu/resourceScope.ts";
import {
  canRun,
  chooseMatmul,
  isOdd,
  type MatmulChoice,
  type MatmulForm,
  type MatmulKernel,
  type MatmulShape,
} from "../kernels/matmulKernels.ts";
import { multiply } from "../kernels/multiply.ts";
import type { Recorder } from "../kernels/recorder.ts";
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
/** Weights up to `most` are one class, which a matrix of `inputs` × `outputs` stands for. */
const SIZE_CLASSES = [
  { name: "small", most: 2 ** 21, inputs: 1024, outputs: 1024 },
  { name: "large", most: Number.POSITIVE_INFINITY, inputs: 2048, outputs: 4096 },
] as const;
/**
 * On adapters that compute on the CPU everything with barriers loses many times over, and takes most
 * of a second to compile. What is left gives the same bits, so noise decides nothing but the speed.
 */
const SOFTWARE = {
  name: "software",
  fewest: 8,
  rows: 16,
  inputs: 256,
  outputs: 256,
  forms: ["registers", "registers8"],
} as const;

/** What shapes are timed together, and the shape that stands for them. */
interface ShapeClass {
  readonly name: string;
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly forms: readonly MatmulForm[];
}

/** The class of a shape; null where there is nothing to choose. */
function classOf(gpu: Gpu, shape: MatmulShape): ShapeClass | null {
  const { rows, inputs, outputs, format, layout } = shape;
  if (isOdd(shape)) return null;
  const named = (...words: string[]) => ["matmul", ...words, format.name, layout].join(" ");
  if (gpu.software) {
    return rows < SOFTWARE.fewest ? null : { ...SOFTWARE, name: named(SOFTWARE.name) };
  }
  const byRows = ROW_CLASSES.find(({ most }) => rows <= most);
  const bySize = SIZE_CLASSES.find(({ most }) => inputs * outputs <= most);
  if (!byRows || !bySize) return null;
  return { ...bySize, ...byRows, name: named(String(byRows.rows), bySize.name) };
}

/** The kernels that may run on a shape, the rule's first. */
export function matmulCandidates(gpu: Gpu, shape: MatmulShape): readonly MatmulKernel[] {
  const forms = classOf(gpu, shape)?.forms;
  if (!forms) return [chooseMatmul(shape.rows, gpu.software)];
  return forms
    .flatMap((form): MatmulKernel[] => [form, `${form}+half`])
    .filter((kernel) => canRun(kernel, shape, gpu.device.features));
}

/** The contests that shapes of these kinds call for, each once. Odd matrices keep to the rule. */
export function matmulContests(gpu: Gpu, shapes: readonly MatmulShape[]): readonly Contest[] {
  const byName = new Map<string, Contest>();
  for (const shape of shapes) {
    const standIn = classOf(gpu, shape);
    if (!standIn) continue;
    const { name, rows, inputs, outputs } = standIn;
    byName.set(name, {
      name,
      candidates: matmulCandidates(gpu, shape),
      prepare: (recorder, scope) =>
        prepareMatmul(recorder, scope, { ...shape, rows, inputs, outputs }),
    });
  }
  return [...byName.values()];
}

/** Buffers of zeros, whose values take no time. */
function prepareMatmul(recorder: Recorder, scope: ResourceScope, shape: MatmulShape) {
  const { pool } = recorder.gpu;
  const { rows, inputs, outputs, format, layout } = shape;
  const allocate = (bytes: number) =>
    scope.keep(pool.allocate("tuning", bytes, GPUBufferUsage.STORAGE)).buffer;
  const [stored, columns] = layout === "out_in" ? [outputs, inputs] : [inputs, outputs];
  const weights = allocate(formatBytes(format, inputs * outputs));
  const panels = [{ buffer: weights, first: 0, rows: stored }];
  const matrix = { panels, format, rows: stored, columns };
  const x = { buffer: allocate(4 * rows * inputs), stride: inputs, offset: 0 };
  const out = { buffer: allocate(4 * rows * outputs), stride: outputs, offset: 0 };
  const options = { rows, layout, bias: null, accumulate: false };
  return (kernel: string) =>
    multiply(recorder, x, matrix, out, { ...options, kernel: kernel as MatmulKernel });
}

/** What was decided, and the rule for all else. */
export function matmulChoice(gpu: Gpu, winners: Winners): MatmulChoice {
  return (shape) => {
    const winner = winners.get(classOf(gpu, shape)?.name ?? "");
    return (winner as MatmulKernel | undefined) ?? chooseMatmul(shape.rows, gpu.software);
  };
}
