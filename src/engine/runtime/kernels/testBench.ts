import { afterEach } from "vitest";
import { acquireGpu } from "../../gpu/device.ts";
import { useGpu } from "../../gpu/testGpu.ts";
import { KernelBench } from "./kernelBench.ts";

/** A bench for all tests of a file, on one device; each test finds it empty. */
export async function useKernelBench(): Promise<KernelBench> {
  const bench = new KernelBench(await useGpu());
  afterEach(() => bench.clear());
  return bench;
}

/**
 * Runs `check` on a device of its own that compiles one shader, of path `path` below `shaders/`, with
 * `right` replaced by `wrong`. Fails where the shader was not compiled or does not say `right`.
 */
export async function withMutant(
  path: string,
  [right, wrong]: readonly [right: string, wrong: string],
  check: (bench: KernelBench) => Promise<void>,
): Promise<void> {
  const gpu = await acquireGpu(navigator.gpu);
  const bench = new KernelBench(gpu);
  const { device } = gpu;
  const compile = device.createShaderModule.bind(device);
  let planted = false;
  device.createShaderModule = (descriptor) => {
    // A module is labelled with the paths of its shaders.
    if (!descriptor.label?.split(" + ").includes(path)) return compile(descriptor);
    if (!descriptor.code.includes(right)) throw new Error(`${path} does not say "${right}"`);
    planted = true;
    return compile({ ...descriptor, code: descriptor.code.replace(right, wrong) });
  };
  try {
    await check(bench);
  } finally {
    bench.release();
    gpu.destroy();
  }
  if (!planted) throw new Error(`${path} was not compiled`);
}
