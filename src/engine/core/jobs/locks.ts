/** Named exclusive locks over all tabs of the origin. */
export interface Locks {
  /** Takes the lock, or returns null at once where it is held. The result releases it. */
  take(name: string): Promise<(() => void) | null>;
}

/** Locks by the browser's Web Locks, which a closed or crashed tab releases. */
export function webLocks(manager: LockManager): Locks {
  return {
    take: (name) =>
      new Promise((resolve, reject) => {
        manager
          .request(name, { ifAvailable: true }, (lock) => {
            if (!lock) return resolve(null);
            return new Promise<void>((giveBack) => resolve(giveBack));
          })
          .catch(reject);
      }),
  };
}

/** Locks within this process: for tests, and where there are no other tabs. */
export function locksInMemory(): Locks {
  const held = new Set<string>();
  return {
    async take(name) {
      if (held.has(name)) return null;
      held.add(name);
      return () => void held.delete(name);
    },
  };
}
