/** How long work may keep a thread to itself. */
const TURN_MS = 12;

/**
 * A pause for long work on one thread, to be awaited again and again: now and then others have their
 * turn, and the signal's reason is thrown where one of them aborted it.
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
