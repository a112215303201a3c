import type { Gpu } from "./device.ts";

/** Free memory of a device, or of a device that is not in use yet. */
export interface GpuSpace {
  /** Free bytes of the budget. */
  readonly freeBytes: number;
  /** The largest buffer that a kernel can bind. */
  readonly bindingBytes: number;
}

/** Free memory of a device now. */
export function spaceOn({ pool, device }: Gpu): GpuSpace {
  return {
    freeBytes: pool.budgetBytes - pool.usedBytes,
    bindingBytes: device.limits.maxStorageBufferBindingSize,
  };
}
