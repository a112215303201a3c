/** Throws where a condition of our own code fails. Input gets an `EngineError` instead. */
export function invariant(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new Error(`Broken promise: ${promise}`);
}
