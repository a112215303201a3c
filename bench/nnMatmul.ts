import { PLAIN_FORMATS } from "../src/engine/core/tensor/weightFormat.ts";
import type { Gpu } from "../src/engine/gpu/device.ts";
import type { MatmulKernel } from "../src/engine/runtime/kernels/matmulKernels.ts";
import { multiply } from "../src/engine/runtime/kernels/multiply.ts";
import { Recorder } from "../src/engine/runtime/kernels/recorder.ts";
import { loadRuntime } from "../src/engine/runtime/onnx/runtime.ts";
import { median } from "./kernels.ts";
import { encodeMatmul } from "./nnGraph.ts";

/** x `[rows, inputs]` times w: `inputs` products for each of `rows · outputs` sums. */
export interface MatmulShape {
  readonly name: string;
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** x by rows, and w as `[inputs, outputs]` and as `[outputs, inputs]`, which is how models store it. */
export interface MatmulData {
  readonly x: Float32Array<ArrayBuffer>;
  readonly columns: Float32Array<ArrayBuffer>;
  readonly turned: Float32Array<ArrayBuffer>;
}

/** A product ready to be computed again and again, its operands on the GPU. */
export interface PreparedMatmul {
  /** Hands one product to the queue. */
  submit(): Promise<void>;
  /** The latest product, `[rows, outputs]`. */
  read(): Promise<Float32Array>;
  release(): Promise<void> | void;
}

export interface MatmulContender {
  readonly name: string;
  prepare(shape: MatmulShape, data: MatmulData): Promise<PreparedMatmul>;
}

export interface MatmulTimes {
  readonly shape: MatmulShape;
  /** GFLOP/s, or why there is no number. */
  readonly speeds: readonly (number | string)[];
}

export const SHAPES: readonly MatmulShape[] = [
  { name: "square 256", rows: 256, inputs: 256, outputs: 256 },
  { name: "square 512", rows: 512, inputs: 512, outputs: 512 },
  { name: "skinny", rows: 64, inputs: 1024, outputs: 1024 },
  { name: "eight rows", rows: 8, inputs: 576, outputs: 1536 },
  { name: "decode", rows: 1, inputs: 576, outputs: 1536 },
  { name: "decode, wide", rows: 1, inputs: 1024, outputs: 4096 },
];

/** Products between two fences: as many as make the fence cheap. */
const SECONDS_PER_FENCE = 0.15;
const MOST_PER_FENCE = 16;
/** Nobody is asked again after so long. */
const SECONDS_PER_CONTENDER = 3;
const CHECKED_SUMS = 64;

const flopOf = ({ rows, inputs, outputs }: MatmulShape) => 2 * rows * inputs * outputs;

function makeData({ rows, inputs, outputs }: MatmulShape): MatmulData {
  const x = Float32Array.from({ length: rows * inputs }, (_, i) => Math.sin(1.7 * i));
  const columns = Float32Array.from({ length: inputs * outputs }, (_, i) => Math.cos(0.9 * i));
  const turned = new Float32Array(columns.length);
  for (let k = 0; k < inputs; k++) {
    for (let o = 0; o < outputs; o++) turned[o * inputs + k] = columns[k * outputs + o]!;
  }
  return { x, columns, turned };
}

/** Throws where some of the sums are not what f64 gives, within f32's error for so many terms. */
function checkProduct(name: string, shape: MatmulShape, data: MatmulData, got: Float32Array) {
  const { rows, inputs, outputs } = shape;
  if (got.length !== rows * outputs) throw new Error(`${name}: ${got.length} values`);
  for (let i = 0; i < CHECKED_SUMS; i++) {
    const at = (i * 7919 * 31 + got.length - 1) % got.length;
    const [row, output] = [Math.floor(at / outputs), at % outputs];
    let sum = 0;
    let size = 0;
    for (let k = 0; k < inputs; k++) {
      const term = data.x[row * inputs + k]! * data.turned[output * inputs + k]!;
      sum += term;
      size += Math.abs(term);
    }
    if (Math.abs(got[at]! - sum) <= inputs * 2 ** -23 * size) continue;
    throw new Error(`${name}, ${shape.name}: [${row}, ${output}] is ${got[at]}, not ${sum}`);
  }
}

function upload({ device }: Gpu, values: Float32Array<ArrayBuffer>): GPUBuffer {
  const { STORAGE, COPY_DST } = GPUBufferUsage;
  const buffer = device.createBuffer({ size: values.byteLength, usage: STORAGE | COPY_DST });
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

async function readBack({ device }: Gpu, buffer: GPUBuffer, count: number) {
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  const readback = device.createBuffer({ size: 4 * count, usage: MAP_READ | COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, readback, 0, 4 * count);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(readback.getMappedRange().slice(0));
  readback.destroy();
  return values;
}

/** One of our kernels. */
export function makeOurs(gpu: Gpu, kernel: MatmulKernel): MatmulContender {
  return {
    name: kernel,
    async prepare({ rows, inputs, outputs }, { x, turned }) {
      const { STORAGE, COPY_SRC } = GPUBufferUsage;
      const recorder = new Recorder(gpu);
      const [input, weights] = [upload(gpu, x), upload(gpu, turned)];
      const size = 4 * rows * outputs;
      const output = gpu.device.createBuffer({ size, usage: STORAGE | COPY_SRC });
      const panels = [{ buffer: weights, first: 0, rows: outputs }];
      const matrix = { panels, format: PLAIN_FORMATS.F32, rows: outputs, columns: inputs } as const;
      return {
        async submit() {
          await multiply(
            recorder,
            { buffer: input, stride: inputs, offset: 0 },
            matrix,
            { buffer: output, stride: outputs, offset: 0 },
            { rows, layout: "out_in", bias: null, accumulate: false, kernel },
          );
          recorder.submit();
        },
        async read() {
          await recorder.finish();
          return readBack(gpu, output, rows * outputs);
        },
        release() {
          recorder.release();
          for (const buffer of [input, weights, output]) buffer.destroy();
        },
      };
    },
  };
}

/** ONNX Runtime's MatMul on the same device, with w among the weights as exports have it. */
export function makeOnnxRuntime(gpu: Gpu): MatmulContender {
  return {
    name: "ONNX Runtime",
    async prepare(shape, { x, columns }) {
      const { rows, inputs, outputs } = shape;
      const runtime = await loadRuntime();
      const session = await runtime.InferenceSession.create(encodeMatmul(shape, columns), {
        executionProviders: [{ name: "webgpu", device: gpu.device }],
        preferredOutputLocation: "gpu-buffer",
      });
      const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
      const usage = STORAGE | COPY_DST | COPY_SRC;
      const make = (size: number) => gpu.device.createBuffer({ size, usage });
      const [input, output] = [make(x.byteLength), make(4 * rows * outputs)];
      gpu.device.queue.writeBuffer(input, 0, x);
      const wrap = (buffer: GPUBuffer, dims: number[]) =>
        runtime.Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims });
      const feeds = { x: wrap(input, [rows, inputs]) };
      const fetches = { y: wrap(output, [rows, outputs]) };
      return {
        async submit() {
          await session.run(feeds, fetches);
        },
        read: () => readBack(gpu, output, rows * outputs),
        async release() {
          await session.release();
          input.destroy();
          output.destroy();
        },
      };
    },
  };
}

/** Seconds of a product when `calls` of them lie between two fences. */
async function timeCalls({ device }: Gpu, matmul: PreparedMatmul, calls: number): Promise<number> {
  await device.queue.onSubmittedWorkDone();
  const begun = performance.now();
  for (let call = 0; call < calls; call++) await matmul.submit();
  await device.queue.onSubmittedWorkDone();
  return (performance.now() - begun) / 1000 / calls;
}

/** The first product compiles and is checked, the second tells how many fit between two fences. */
async function warmUp(
  gpu: Gpu,
  { name, prepare }: MatmulContender,
  shape: MatmulShape,
  data: MatmulData,
) {
  try {
    const matmul = await prepare(shape, data);
    await matmul.submit();
    checkProduct(name, shape, data, await matmul.read());
    const once = await timeCalls(gpu, matmul, 1);
    const calls = Math.max(1, Math.min(MOST_PER_FENCE, Math.round(SECONDS_PER_FENCE / once)));
    return { matmul, calls };
  } catch (error) {
    return `FAILED: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Median GFLOP/s of every contender at every shape, the contenders in turn. */
export async function timeMatmuls(
  gpu: Gpu,
  contenders: readonly MatmulContender[],
  { repetitions, note }: { readonly repetitions: number; readonly note: (text: string) => void },
): Promise<readonly MatmulTimes[]> {
  const times: MatmulTimes[] = [];
  for (const shape of SHAPES) {
    const data = makeData(shape);
    const prepared: Awaited<ReturnType<typeof warmUp>>[] = [];
    for (const contender of contenders) prepared.push(await warmUp(gpu, contender, shape, data));
    const seconds = contenders.map((): number[] => []);
    for (let round = 0; round < repetitions; round++) {
      for (const [i, one] of prepared.entries()) {
        if (typeof one === "string") continue;
        const spent = seconds[i]!.reduce((sum, each) => sum + each * one.calls, 0);
        if (spent > SECONDS_PER_CONTENDER) continue;
        seconds[i]!.push(await timeCalls(gpu, one.matmul, one.calls));
      }
    }
    for (const one of prepared) if (typeof one !== "string") await one.matmul.release();
    const speeds = prepared.map((one, i) =>
      typeof one === "string" ? one : flopOf(shape) / median(seconds[i]!) / 1e9,
    );
    times.push({ shape, speeds });
    note(`${shape.name} ${speeds.join(" ")}`);
  }
  return times;
}
