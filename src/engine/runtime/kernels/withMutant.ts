import { acquireGpu } from "../../gpu/device.ts";
import { shaderText } from "../../gpu/shaders.ts";
import { KernelBench } from "./kernelBench.ts";
import { planted } from "./plantedShaders.ts";

/** Runs `check` on a device of its own, for which a shader says something else in one place. */
export async function withMutant(
  path: string,
  [right, wrong]: readonly [string, string],
  check: (bench: KernelBench) => Promise<void>,
): Promise<void> {
  const text = shaderText(path);
  if (!text.includes(right)) throw new Error(`${path} does not say "${right}"`);
  planted.set(path, text.replace(right, wrong));
  const gpu = await acquireGpu(navigator.gpu);
  const bench = new KernelBench(gpu);
  try {
    await check(bench);
  } finally {
    planted.delete(path);
    bench.release();
    gpu.destroy();
  }
}
