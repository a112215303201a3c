/** Our own bug when false: stop. Never for input, which gets an `EngineError`. */
export function invariant(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new Error(`Broken promise: ${promise}`);
}
