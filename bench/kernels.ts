import { fromF32 } from "../src/engine/core/tensor/convert.ts";
import { PLAIN_FORMATS } from "../src/engine/core/tensor/weightFormat.ts";
import { acquireGpu, type Gpu } from "../src/engine/gpu/device.ts";
import { tileConstants, tileUniformBytes } from "../src/engine/gpu/tiles/tileInput.ts";
import { BLOCK_ELEMENTS } from "../src/engine/gpu/tiles/tiling.ts";

/** What the kernels are measured on: the base and two fine-tunes. */
const SOURCES = 3;
const SEED_VALUES = 2 ** 16;

export type BenchDType = "F32" | "BF16";

export interface KernelOptions {
  readonly dtype: BenchDType;
  /** Elements of the tile. */
  readonly elements: number;
  readonly repetitions: number;
}

/** One kernel's median time over the repetitions. */
export interface KernelTime {
  readonly kernel: string;
  readonly seconds: number;
  /** Bytes read and written. */
  readonly movedBytes: number;
  /** Seconds a byte, over the copy's. */
  readonly toCopy: number;
}

export interface KernelReport {
  readonly adapter: string;
  readonly clock: "timestamp queries" | "queue";
  readonly times: readonly KernelTime[];
}

interface Kernel {
  readonly name: string;
  readonly movedBytes: number;
  readonly workgroups: number;
  readonly pipeline: GPUComputePipeline;
  readonly buffers: readonly GPUBindingResource[];
}

const TILE = ["read-only-storage", "read-only-storage", "uniform", "storage"] as const;
/** Name, file in shaders/merge, whether a base is among the sources, how many sources. */
const RULES = [
  ["linear", "weighted_sum", false, 3],
  ["task_arithmetic, varm", "delta_sum", true, 3],
  ["slerp", "delta_sum", false, 2],
  ["varm by parameter", "varm_element", true, 3],
] as const;

interface Buffers {
  readonly arena: GPUBuffer;
  readonly output: GPUBuffer;
  readonly constants: GPUBuffer;
  readonly layout: GPUBuffer;
  readonly nonfinite: GPUBuffer;
}

function fillBuffers({ device }: Gpu, { dtype, elements }: KernelOptions): Buffers {
  const { STORAGE, COPY_DST, UNIFORM } = GPUBufferUsage;
  const make = (size: number, usage: number) => device.createBuffer({ size, usage });
  const bytesPerElement = dtype === "F32" ? 4 : 2;
  const segmentBytes = elements * bytesPerElement;
  const buffers = {
    arena: make(SOURCES * segmentBytes, STORAGE | COPY_DST),
    // The copy writes half of the bytes that three sources and a result come to.
    output: make(2 * segmentBytes, STORAGE),
    constants: make(256, STORAGE | COPY_DST),
    layout: make(tileUniformBytes(SOURCES), UNIFORM | COPY_DST),
    nonfinite: make(16, STORAGE),
  };
  const values = Float32Array.from({ length: SEED_VALUES }, (_, i) => 0.02 * Math.sin(1.7 * i));
  const layout = new Uint32Array(tileUniformBytes(SOURCES) / 4);
  layout.set([elements, 0, 0, elements / 4, 0, elements]);
  new Float32Array(layout.buffer)[4] = 1;
  for (let s = 0; s < SOURCES; s++) {
    const moved = values.map((value, i) => value + s * 1e-3 * Math.cos(i));
    const bytes = fromF32(moved, dtype);
    layout.set([(s * segmentBytes) / 8, dtype === "F32" ? 0 : 1], 8 + 4 * s);
    for (let at = 0; at < segmentBytes; at += bytes.byteLength) {
      const length = Math.min(bytes.byteLength, segmentBytes - at);
      device.queue.writeBuffer(buffers.arena, s * segmentBytes + at, bytes, 0, length);
    }
  }
  device.queue.writeBuffer(buffers.layout, 0, layout);
  device.queue.writeBuffer(buffers.constants, 0, Float32Array.from([0.4, 0.35, 0.25]));
  return buffers;
}

async function makeKernels(gpu: Gpu, options: KernelOptions, all: Buffers): Promise<Kernel[]> {
  const { dtype, elements } = options;
  const segmentBytes = elements * (dtype === "F32" ? 4 : 2);
  const copyBytes = 2 * segmentBytes;
  const kernels: Kernel[] = [
    {
      name: "copy",
      movedBytes: 2 * copyBytes,
      workgroups: Math.ceil(copyBytes / 16 / 64),
      pipeline: await gpu.pipeline(["bench/copy.wgsl"], { OUTPUT: dtype === "F32" ? 0 : 1 }, [
        "read-only-storage",
        "storage",
      ]),
      buffers: [
        { buffer: all.arena, size: copyBytes },
        { buffer: all.output, size: copyBytes },
      ],
    },
  ];
  const tile = [all.arena, all.constants, all.layout, all.output].map((buffer) => ({ buffer }));
  const formats = (count: number) => Array.from({ length: count }, () => PLAIN_FORMATS[dtype]);
  for (const [name, rule, hasBase, sources] of RULES) {
    kernels.push({
      name,
      movedBytes: (sources + 1) * segmentBytes,
      workgroups: Math.ceil(elements / 256),
      pipeline: await gpu.pipeline(
        ["harness/elementwise.wgsl", `merge/${rule}.wgsl`],
        tileConstants(formats(sources), hasBase, dtype, { software: gpu.software }),
        [...TILE, "storage"],
      ),
      buffers: [...tile, { buffer: all.nonfinite }],
    });
  }
  for (const [rule, hasBase, sources, rows] of [
    ["delta", true, 3, 2],
    ["gram", false, 2, 1],
  ] as const) {
    kernels.push({
      name: `reduce ${rule}`,
      movedBytes: sources * segmentBytes,
      workgroups: Math.ceil(elements / BLOCK_ELEMENTS),
      pipeline: await gpu.pipeline(
        ["harness/blockwise.wgsl", `reduce/${rule}.wgsl`],
        {
          ...tileConstants(formats(sources), hasBase, "F32", { software: gpu.software }),
          ROWS: rows,
          PADDED: false,
          LANE_SUMS: gpu.software,
        },
        TILE,
      ),
      buffers: tile,
    });
  }
  return kernels;
}

/** Measures one dispatch: by the GPU's own clock where it has one. */
function makeClock({ device }: Gpu): {
  readonly name: KernelReport["clock"];
  time(kernel: Kernel): Promise<number>;
} {
  const bind = ({ pipeline, buffers }: Kernel) =>
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((resource, binding) => ({ binding, resource })),
    });
  const run = (kernel: Kernel, pass: GPUComputePassEncoder) => {
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, bind(kernel));
    pass.dispatchWorkgroups(kernel.workgroups);
    pass.end();
  };
  if (!device.features.has("timestamp-query")) {
    return {
      name: "queue",
      async time(kernel) {
        await device.queue.onSubmittedWorkDone();
        const encoder = device.createCommandEncoder();
        run(kernel, encoder.beginComputePass());
        const begun = performance.now();
        device.queue.submit([encoder.finish()]);
        await device.queue.onSubmittedWorkDone();
        return (performance.now() - begun) / 1000;
      },
    };
  }
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 });
  const resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC });
  const read = device.createBuffer({ size: 16, usage: COPY_DST | MAP_READ });
  return {
    name: "timestamp queries",
    async time(kernel) {
      const encoder = device.createCommandEncoder();
      const timestampWrites = {
        querySet,
        beginningOfPassWriteIndex: 0,
        endOfPassWriteIndex: 1,
      };
      run(kernel, encoder.beginComputePass({ timestampWrites }));
      encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, read, 0, 16);
      device.queue.submit([encoder.finish()]);
      await read.mapAsync(GPUMapMode.READ);
      const [begun = 0n, ended = 0n] = new BigUint64Array(read.getMappedRange());
      read.unmap();
      return Number(ended - begun) / 1e9;
    },
  };
}

/** The middle of the values, the lower of two middles. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}

/** Times the merge's kernels and the copy in turn, so that a busy machine slows all alike. */
export async function timeKernels(
  webgpu: GPU | undefined,
  options: KernelOptions,
): Promise<KernelReport> {
  const gpu = await acquireGpu(webgpu);
  const buffers = fillBuffers(gpu, options);
  const kernels = await gpu.guard("kernels", () => makeKernels(gpu, options, buffers));
  const clock = makeClock(gpu);
  const seconds = kernels.map((): number[] => []);
  // The first round warms caches and drivers up.
  for (let round = 0; round <= options.repetitions; round++) {
    for (const [i, kernel] of kernels.entries()) {
      const time = await clock.time(kernel);
      if (round > 0) seconds[i]!.push(time);
    }
  }
  const perByte = kernels.map(({ movedBytes }, i) => median(seconds[i]!) / movedBytes);
  const times = kernels.map(({ name, movedBytes }, i) => ({
    kernel: name,
    movedBytes,
    seconds: median(seconds[i]!),
    toCopy: perByte[i]! / perByte[0]!,
  }));
  gpu.destroy();
  return { adapter: gpu.name, clock: clock.name, times };
}
