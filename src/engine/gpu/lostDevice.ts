import { EngineError } from "../contract/index.ts";

/** Losses in a row, without any progress between them, after which the work is given up. */
const MOST_LOSSES = 3;

/**
 * Runs GPU work to its end over as many devices as it takes: when the device is lost, `work` is called
 * again and goes on from what is done. `done` counts what that is, in any unit. Throws `gpu-lost`
 * after too many losses in a row without progress, and every other error of `work` at once.
 */
export async function goOnAfterLosses<T>(work: () => Promise<T>, done: () => number): Promise<T> {
  for (let losses = 0; ; ) {
    const before = done();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof EngineError && error.code === "gpu-lost")) throw error;
      losses = done() > before ? 0 : losses + 1;
      if (losses > MOST_LOSSES) throw error;
    }
  }
}
