import { type Engine, EngineError, type StorageCard, toFailure } from "../contract/index.ts";
import { DEFAULT_BUDGET_BYTES, type GpuProvider } from "./device.ts";

type EnvironmentQueries = Pick<Engine, "describe" | "setGpuBudget" | "storage" | "persist">;

const SMALLEST_BUDGET_BYTES = 64 * 2 ** 20;

/** The engine's queries about the GPU and the browser's storage. */
export function createEnvironmentQueries({
  gpuProvider,
  storage,
  freeIdle,
  keepBudget,
}: {
  readonly gpuProvider: GpuProvider;
  readonly storage: StorageManager | undefined;
  /** Frees what lies on the GPU and nobody uses. */
  freeIdle(): void;
  /** Stores a budget for the next start. */
  keepBudget(bytes: number): Promise<void>;
}): EnvironmentQueries {
  async function describe() {
    try {
      const { name, software } = await gpuProvider.get();
      const { budgetBytes } = gpuProvider;
      return { gpu: { available: true, name, software, budgetBytes } } as const;
    } catch (error) {
      return { gpu: { available: false, failure: toFailure(error) } } as const;
    }
  }

  async function storageCard(): Promise<StorageCard> {
    const [estimate, persisted] = await Promise.all([
      storage?.estimate?.(),
      storage?.persisted?.(),
    ]);
    return {
      usedBytes: estimate?.usage ?? 0,
      quotaBytes: estimate?.quota ?? null,
      persisted: persisted ?? false,
    };
  }

  return {
    describe,
    async setGpuBudget(bytes) {
      if (!(bytes >= SMALLEST_BUDGET_BYTES && bytes <= 2 ** 40)) {
        throw new EngineError(
          "usage",
          `A GPU budget of ${bytes} bytes is no use: give at least ${SMALLEST_BUDGET_BYTES} (64 MiB); ${DEFAULT_BUDGET_BYTES} (2 GiB) suits most machines.`,
          { bytes },
        );
      }
      freeIdle(); // the next use is on a new device
      gpuProvider.setBudget(bytes);
      await keepBudget(bytes);
      return describe();
    },
    storage: storageCard,
    // Only a page may ask the browser for it, and has done so: see bridge/connectEngine.ts.
    persist: storageCard,
  };
}
