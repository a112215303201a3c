import { EngineError } from "../contract/index.ts";

/** A pooled buffer; releasing it returns its bytes to the budget. */
export interface PooledBuffer {
  readonly buffer: GPUBuffer;
  release(): void;
}

/**
 * All GPU memory of the engine, within a budget that the user sets: WebGPU does not say how much
 * there is. Work that does not fit must be cut into smaller tiles.
 */
export class BufferPool {
  readonly budgetBytes: number;
  #usedBytes = 0;
  #peakBytes = 0;
  readonly #device: GPUDevice;

  constructor(device: GPUDevice, budgetBytes: number) {
    this.#device = device;
    this.budgetBytes = budgetBytes;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Allocates a buffer. `gpu-memory` when the budget would be exceeded. `size` is rounded up to 16
   * bytes.
   */
  allocate(label: string, byteLength: number, usage: GPUBufferUsageFlags): PooledBuffer {
    const size = Math.max(16, Math.ceil(byteLength / 16) * 16);
    const reserved = this.reserve(label, size);
    const buffer = this.#device.createBuffer({ label, size, usage });
    return {
      buffer,
      release: () => {
        if (reserved.release()) buffer.destroy();
      },
    };
  }

  /**
   * Counts bytes that others allocate on the device; `gpu-memory` when the budget would be
   * exceeded. `release` returns whether it was the first call.
   */
  reserve(label: string, size: number): { release(): boolean } {
    if (!(this.#usedBytes + size <= this.budgetBytes)) {
      throw new EngineError(
        "gpu-memory",
        `"${label}" needs ${size} bytes of GPU memory, but only ${this.budgetBytes - this.#usedBytes} of the budget of ${this.budgetBytes} are left. Raise the GPU budget.`,
        { label, size, used: this.#usedBytes, budget: this.budgetBytes },
      );
    }
    this.#usedBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
    let live = true;
    return {
      release: () => {
        if (!live) return false;
        live = false;
        this.#usedBytes -= size;
        return true;
      },
    };
  }
}
