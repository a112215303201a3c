import { describe, expect, test } from "vitest";
import type { OutputDType } from "../../contract/index.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { PLAIN_FORMATS } from "../../core/tensor/weightFormat.ts";
import { type KernelBench, largestError, randomValues } from "./kernelBench.ts";
import {
  canRun,
  MATMUL_FORMS,
  type MatmulKernel,
  type MatmulShape,
  matmulProgram,
} from "./matmulKernels.ts";
import { embed, multiply } from "./multiply.ts";
import { useKernelBench, withMutant } from "./testBench.ts";

const bench = await useKernelBench();
const { gpu } = bench;

/** Σₖ of float32 products, in any order: one rounding of a partial sum of at most `inputs` each. */
const boundFor = (inputs: number) => inputs * inputs * 2 ** -24 + 2 ** -22;

/** rows, inputs, outputs: odd, one, whole quads, and more than one tile of each. */
const SHAPES = [
  [1, 1, 1],
  [3, 5, 7],
  [2, 12, 6],
  [5, 8, 68],
  [66, 33, 9],
  [9, 68, 13],
  [130, 8, 132],
] as const;

type Stored = Pick<MatmulShape, "layout"> & { readonly dtype: OutputDType };

/** Multiplies at all shapes, with a bias, a column, strides, and every second one added to `out`. */
async function checkKernel(
  kernel: MatmulKernel,
  { dtype, layout }: Stored,
  on: KernelBench,
): Promise<void> {
  for (const [seed, [rows, inputs, outputs]] of SHAPES.entries()) {
    const stride = 4 * Math.ceil(inputs / 4) + 4;
    const x = randomValues(rows * stride, seed);
    const stored = fromF32(randomValues(outputs * inputs, 100 + seed), dtype);
    const w = toF32(stored, dtype);
    const bias = randomValues(outputs, 200 + seed);
    const [outStride, column] = [outputs + 3, 2];
    const before = randomValues(rows * outStride, 300 + seed);
    const out = on.buffer(before.slice());
    const turned = layout === "in_out";
    const matrix = {
      panels: [{ buffer: on.buffer(stored), first: 0, rows: turned ? inputs : outputs }],
      format: PLAIN_FORMATS[dtype],
      rows: turned ? inputs : outputs,
      columns: turned ? outputs : inputs,
    };
    const accumulate = seed % 2 === 0;
    await multiply(
      on.recorder,
      { buffer: on.buffer(x), stride, offset: 4 },
      matrix,
      { buffer: out, stride: outStride, offset: column },
      { rows, layout, bias: on.buffer(bias), accumulate, kernel },
    );
    const want = Float64Array.from(before);
    for (let t = 0; t < rows; t++) {
      for (let o = 0; o < outputs; o++) {
        const at = t * outStride + column + o;
        let sum = bias[o]! + (accumulate ? before[at]! : 0);
        for (let k = 0; k < inputs; k++) {
          const weight = turned ? w[k * outputs + o]! : w[o * inputs + k]!;
          // The last row's x lies past its stride's first quad: rows start at the offset.
          sum += (x[t * stride + 4 + k] ?? 0) * weight;
        }
        want[at] = sum;
      }
    }
    const error = largestError(await on.read(out, before.length), want);
    expect(error, `${rows} × ${inputs} × ${outputs}`).toBeLessThanOrEqual(boundFor(inputs));
  }
}

describe.each(["out_in", "in_out"] as const)("weights stored %s", (layout) => {
  test.each(["F32", "BF16", "F16"] as const)("of %s are read as they are", (dtype) =>
    checkKernel("registers", { dtype, layout }, bench),
  );
});

// What stands before every dtype is the same code: one is enough of it for each form.
const FORMS = MATMUL_FORMS.flatMap((form): readonly [MatmulKernel, Stored][] => [
  [form, { dtype: "BF16", layout: "out_in" }],
  [`${form}+half`, { dtype: "F16", layout: "out_in" }],
]);
test.for([
  ...FORMS,
  ["tiles", { dtype: "BF16", layout: "in_out" }],
  ["lanes", { dtype: "F32", layout: "in_out" }],
] as const)(
  "%s multiplies %o as the plain sums do, at odd sizes",
  async ([kernel, stored], { skip }) => {
    const { layout, dtype } = stored;
    const shape = { rows: 1, inputs: 4, outputs: 4, layout, format: PLAIN_FORMATS[dtype] };
    if (canRun(kernel, shape, gpu.device.features)) return checkKernel(kernel, stored, bench);
    const feature = kernel.endsWith("+half") ? "shader-f16" : "subgroups";
    console.log(`NOT RUN: ${kernel} (${gpu.name} does not offer ${feature})`);
    skip(feature);
  },
);

/** Inputs that do not fill a quad are forgotten. */
const MUTANT = ["(shape.inputs + 3u) / 4u", "shape.inputs / 4u"] as const;
test.for(MATMUL_FORMS)("a mutant planted in the shader of %s is found", async (form, { skip }) => {
  if (form === "subgroups" && !gpu.device.features.has("subgroups")) return skip("subgroups");
  const { shader } = matmulProgram(form, 1, 4);
  const stored = { dtype: "F32", layout: "out_in" } as const;
  const run = withMutant(shader, MUTANT, (on) => checkKernel(form, stored, on));
  await expect(run).rejects.toThrow("to be less than or equal to");
});

test("eight rows at a time give the same bits as four", async () => {
  const [rows, inputs, outputs] = [19, 36, 24];
  const x = { buffer: bench.buffer(randomValues(rows * inputs, 1)), stride: inputs, offset: 0 };
  const panels = [
    { buffer: bench.buffer(randomValues(inputs * outputs, 2)), first: 0, rows: outputs },
  ];
  const matrix = { panels, format: PLAIN_FORMATS.F32, rows: outputs, columns: inputs } as const;
  const run = async (kernel: MatmulKernel) => {
    const buffer = bench.buffer(new Float32Array(rows * outputs));
    const options = { rows, layout: "out_in", bias: null, accumulate: false, kernel } as const;
    await multiply(bench.recorder, x, matrix, { buffer, stride: outputs, offset: 0 }, options);
    return bench.read(buffer, rows * outputs);
  };
  expect(await run("registers8")).toEqual(await run("registers"));
});

describe.each(["out_in", "in_out"] as const)("a matrix in panels, stored %s,", (layout) => {
  test("gives what it gives in one piece", async () => {
    const [rows, inputs, outputs] = [3, 12, 10];
    const turned = layout === "in_out";
    const [stored, width] = turned ? [inputs, outputs] : [outputs, inputs];
    const w = randomValues(stored * width, 1);
    const x = { buffer: bench.buffer(randomValues(rows * inputs, 2)), stride: inputs, offset: 0 };
    const bias = bench.buffer(randomValues(outputs, 3));
    const run = async (cuts: readonly number[]) => {
      const panels = cuts.slice(1).map((end, i) => {
        const first = cuts[i] as number;
        const buffer = bench.buffer(w.slice(first * width, end * width));
        return { buffer, first, rows: end - first };
      });
      const out = bench.buffer(new Float32Array(rows * outputs));
      const matrix = { panels, format: PLAIN_FORMATS.F32, rows: stored, columns: width } as const;
      const options = { rows, layout, bias, accumulate: false, kernel: "registers" } as const;
      await multiply(
        bench.recorder,
        x,
        matrix,
        { buffer: out, stride: outputs, offset: 0 },
        options,
      );
      return bench.read(out, rows * outputs);
    };
    const whole = await run([0, stored]);
    expect(largestError(await run([0, 4, 8, stored]), whole)).toBeLessThanOrEqual(2 ** -20);
  });
});

test("rows are gathered from the panel that holds them, scaled, and added where asked", async () => {
  const [vocab, columns] = [7, 5];
  for (const dtype of ["F32", "BF16", "F16"] as const) {
    const stored = fromF32(randomValues(vocab * columns, 4), dtype);
    const table = toF32(stored, dtype);
    const size = stored.byteLength / vocab;
    const panels = [
      { buffer: bench.buffer(stored.slice(0, 4 * size)), first: 0, rows: 4 },
      { buffer: bench.buffer(stored.slice(4 * size)), first: 4, rows: 3 },
    ];
    const ids = [6, 0, 3, 4, 6];
    const matrix = { panels, format: PLAIN_FORMATS[dtype], rows: vocab, columns };
    const indices = bench.buffer(Uint32Array.from(ids));
    const out = bench.buffer(new Float32Array(ids.length * columns));
    const target = { buffer: out, stride: columns, offset: 0 };
    const rows = ids.length;
    await embed(bench.recorder, indices, matrix, target, { rows, scale: 3, accumulate: false });
    await embed(bench.recorder, indices, matrix, target, { rows, scale: -1, accumulate: true });
    const want = ids.flatMap((id) =>
      [...table.slice(id * columns, (id + 1) * columns)].map((v) => 2 * v),
    );
    // 3v is rounded once, 3v - v once more.
    expect(largestError(await bench.read(out, want.length), want)).toBeLessThanOrEqual(2 ** -21);
  }
});
