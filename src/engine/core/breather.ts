/** Milliseconds that work may block a thread. */
const TURN_MS = 12;

/**
 * A pause for long work on one thread, to be awaited repeatedly: it yields to other tasks now and
 * then, and throws the signal's reason once aborted.
 */
export function createBreather(signal?: AbortSignal): () => Promise<void> {
  let turnBegan = performance.now();
  return async () => {
    if (performance.now() - turnBegan < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    turnBegan = performance.now();
    signal?.throwIfAborted();
  };
}
