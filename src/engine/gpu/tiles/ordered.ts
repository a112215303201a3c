/**
 * Runs `work` on up to `limit` items at once and yields results in the items' order, so that
 * reading, computing and writing overlap. `slot` (0 … limit-1) is exclusive to an item, so buffers
 * can be kept per slot. When left early, it waits for running work first.
 */
export async function* mapOrdered<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T, slot: number) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const underWay: Promise<R>[] = [];
  let started = 0;
  try {
    for (const item of items) {
      if (underWay.length === limit) yield await (underWay.shift() as Promise<R>);
      const promise = work(item, started++ % limit);
      // Awaited in order below; until then a rejection must not count as unhandled.
      promise.catch(() => {});
      underWay.push(promise);
    }
    while (underWay.length > 0) yield await (underWay.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(underWay);
  }
}
