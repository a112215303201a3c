import { afterAll } from "vitest";
import { acquireGpu, type Gpu } from "./device.ts";

/** A device for all tests of a file, destroyed after the last. */
export async function useGpu(options?: Parameters<typeof acquireGpu>[1]): Promise<Gpu> {
  const gpu = await acquireGpu(navigator.gpu, options);
  afterAll(() => gpu.destroy());
  return gpu;
}
