import { expect, test } from "vitest";
import { readBytes } from "../gpu/readBytes.ts";
import { largestError, randomValues } from "../runtime/kernels/kernelBench.ts";
import { useKernelBench } from "../runtime/kernels/testBench.ts";
import { AdamW } from "./adamw.ts";
import type { Parameter } from "./backward/trainable.ts";

const bench = await useKernelBench();
const { gpu } = bench;

const SETTINGS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const RATE = 0.01;

function parameterOf(name: string, shape: readonly number[]): Parameter {
  const count = shape.reduce((product, each) => product * each, 1);
  const padded = new Float32Array(Math.ceil(count / 4) * 4);
  const value = padded.slice();
  value.set(randomValues(count, 1));
  const buffers = { value: bench.buffer(value), gradient: bench.buffer(padded) };
  return { name, shape, count, ...buffers };
}

/** torch.optim.AdamW after clip_grad_norm_, in float64; `decays` are the values' own. */
function reference(
  values: Float64Array,
  gradients: readonly Float64Array[],
  decays: readonly number[],
): Float64Array {
  const { beta1, beta2, epsilon, clip } = SETTINGS;
  const theta = values.slice();
  const m = new Float64Array(theta.length);
  const v = new Float64Array(theta.length);
  for (const [step, g] of gradients.entries()) {
    const norm = Math.sqrt(g.reduce((sum, each) => sum + each * each, 0));
    const scale = Math.min(1, clip / (norm + 1e-6));
    for (let i = 0; i < theta.length; i++) {
      const scaled = scale * g[i]!;
      m[i] = beta1 * m[i]! + (1 - beta1) * scaled;
      v[i] = beta2 * v[i]! + (1 - beta2) * scaled * scaled;
      const corrected = m[i]! / (1 - beta1 ** (step + 1));
      const root = Math.sqrt(v[i]! / (1 - beta2 ** (step + 1)));
      theta[i] = theta[i]! * (1 - RATE * decays[i]!) - (RATE * corrected) / (root + epsilon);
    }
  }
  return theta;
}

test("goes where torch's AdamW goes, clipped over all parameters", async () => {
  const shapes = [[17, 241], [3], [12_289, 1]]; // odd, tiny and no matrix, several partial sums
  const parameters = shapes.map((shape, i) => parameterOf(`p${i}`, shape));
  const counts = parameters.map(({ count }) => count);
  const starts = counts.map((count) => Float64Array.from(randomValues(count, 1)));
  const optimiser = new AdamW(gpu, parameters, SETTINGS);
  const steps = Array.from({ length: 5 }, (_, step) =>
    counts.map((count, p) => randomValues(count, 10 * step + p + 2)),
  );
  try {
    for (const [step, gradients] of steps.entries()) {
      for (const [p, gradient] of gradients.entries()) {
        gpu.device.queue.writeBuffer(parameters[p]!.gradient, 0, gradient);
      }
      const norm = await optimiser.gradientNorm(step);
      const want = Math.hypot(...gradients.map((g) => Math.hypot(...g)));
      // Partial sums of 4,096 positive squares in a tree of 64 lanes: 64 + 6 roundings at the most.
      expect(Math.abs(norm - want) <= 70 * 2 ** -24 * want).toBe(true);
      await optimiser.update(step, RATE, norm);
    }
    const all = Float64Array.from(starts.flatMap((values) => [...values]));
    const gradients = steps.map((each) => Float64Array.from(each.flatMap((g) => [...g])));
    const decays = parameters.flatMap(({ count, shape }) =>
      Array.from({ length: count }, () => (shape.length > 1 ? SETTINGS.weightDecay : 0)),
    );
    const want = reference(all, gradients, decays);
    const got: number[] = [];
    for (const { value, count } of parameters) {
      const bytes = await readBytes(gpu, value, 0, 4 * count);
      got.push(...new Float32Array(bytes.buffer));
    }
    // Each update moves a value by about RATE; its factors are good to some 20 roundings, and each
    // sum rounds once at the size of a value, 1.
    expect(largestError(got, want) <= 5 * (20 * RATE + 2) * 2 ** -24).toBe(true);
  } finally {
    optimiser.release();
  }
});

test("a gradient that is not finite is named", async () => {
  const parameters = [parameterOf("fine", [10]), parameterOf("broken", [5000])];
  const optimiser = new AdamW(gpu, parameters, SETTINGS);
  const gradient = new Float32Array(5000);
  gradient[4999] = Number.NaN;
  gpu.device.queue.writeBuffer(parameters[1]!.gradient, 0, gradient);
  await expect(optimiser.gradientNorm(6)).rejects.toMatchObject({
    code: "nonfinite",
    details: { tensor: "broken", step: 7 },
  });
  optimiser.release();
});
