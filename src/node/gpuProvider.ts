import { EngineError } from "../engine/contract/index.ts";
import { GpuProvider } from "../engine/gpu/device.ts";
import { openDawn } from "./dawn.ts";
import { findingsInFile } from "./findings.ts";
import { userCache } from "./userCache.ts";

/** A provider of devices on Dawn; `no-adapter` where there is nothing to compute on. */
export async function openGpuProvider(adapter?: string): Promise<GpuProvider> {
  const gpu = await openDawn(adapter);
  if (gpu) return new GpuProvider(gpu, undefined, findingsInFile(userCache("adapters.json")));
  throw new EngineError(
    "no-adapter",
    "No GPU adapter was found, not even a software one. Install a Vulkan driver (Debian: apt-get install mesa-vulkan-drivers) or Chromium, whose SwiftShader will be used.",
  );
}
