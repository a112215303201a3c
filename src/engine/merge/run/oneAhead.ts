/**
 * Prepares each item while the one before is in use. Each is released when the next is asked for, or
 * when nobody asks any more.
 */
export async function* oneAhead<T, R extends { release(): void }>(
  items: readonly T[],
  prepare: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  let next: Promise<R> | null = null;
  const start = (i: number) => {
    next = i < items.length ? prepare(items[i] as T) : null;
    // Awaited below; until then a rejection must not count as unhandled.
    next?.catch(() => {});
  };
  try {
    start(0);
    for (let i = 1; next; i++) {
      const current: R = await next;
      start(i);
      try {
        yield current;
      } finally {
        current.release();
      }
    }
  } finally {
    const left = await (next as Promise<R> | null)?.catch(() => null);
    left?.release();
  }
}
