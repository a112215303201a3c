import type { Gpu } from "./device.ts";

/** What there is room for on a device, or will be on one that nobody uses yet. */
export interface GpuSpace {
  /** Bytes of the budget that nobody has taken. */
  readonly freeBytes: number;
  /** The largest buffer that a kernel can bind. */
  readonly bindingBytes: number;
}

/** What is free on a device now. */
export function spaceOn({ pool, device }: Gpu): GpuSpace {
  return {
    freeBytes: pool.budgetBytes - pool.usedBytes,
    bindingBytes: device.limits.maxStorageBufferBindingSize,
  };
}
