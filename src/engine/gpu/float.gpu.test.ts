import { describe, expect, test } from "vitest";
import { fromF32, toF32 } from "../core/tensor/convert.ts";
import { useGpu } from "./testGpu.ts";

const gpu = await useGpu();

/** Runs shaders/harness/convert.wgsl over words. */
async function convert(mode: number, input: Uint32Array<ArrayBuffer>): Promise<Uint32Array> {
  const pipeline = await gpu.pipeline(["harness/convert.wgsl"], { MODE: mode }, [
    "read-only-storage",
    "storage",
  ]);
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const make = (usage: number) => gpu.device.createBuffer({ size: input.byteLength, usage });
  const [from, to, read] = [
    make(STORAGE | COPY_DST),
    make(STORAGE | COPY_SRC),
    make(MAP_READ | COPY_DST),
  ];
  gpu.device.queue.writeBuffer(from, 0, input);
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    gpu.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [from, to].map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );
  pass.dispatchWorkgroups(Math.ceil(input.length / 64));
  pass.end();
  encoder.copyBufferToBuffer(to, 0, read, 0, input.byteLength);
  gpu.device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const words = new Uint32Array(read.getMappedRange().slice(0));
  for (const buffer of [from, to, read]) buffer.destroy();
  return words;
}

const ALL_HALVES = Uint16Array.from({ length: 65_536 }, (_, i) => i);

describe.each([
  ["BF16", 0, 2],
  ["F16", 1, 3],
] as const)("%s", (dtype, widen, narrow) => {
  test("all 65,536 values widen to the bits that the CPU gives", async () => {
    const expected = new Uint32Array(toF32(new Uint8Array(ALL_HALVES.buffer), dtype).buffer);
    expect(await convert(widen, new Uint32Array(ALL_HALVES))).toEqual(expected);
  });

  test("every value, every midpoint and one ulp to each side narrow to the bits the CPU gives", async () => {
    const values = new Uint32Array(toF32(new Uint8Array(ALL_HALVES.buffer), dtype).buffer);
    const step = dtype === "BF16" ? 0x8000 : 0x1000;
    const around: number[] = [];
    for (const bits of values) {
      for (const near of [bits, bits + step]) around.push(near - 1, near, near + 1);
    }
    // f16's own subnormals are finer than half a step of its normals: cover them densely.
    for (let bits = 0x32ff_fff0; bits < 0x3880_0000; bits += 997) around.push(bits);
    const input = Uint32Array.from(around, (bits) => bits >>> 0);
    const narrowed = new Uint16Array(fromF32(new Float32Array(input.buffer), dtype).buffer);
    const got = await convert(narrow, input);
    const different = got.findIndex((word, i) => word !== narrowed[i]);
    expect(
      different < 0
        ? null
        : { input: input[different], got: got[different], want: narrowed[different] },
    ).toBeNull();
  });
});
