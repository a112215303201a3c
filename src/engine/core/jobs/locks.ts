/** Named locks that one holder at a time can have, over all tabs of the origin. */
export interface Locks {
  /** Takes the lock, or answers null at once where somebody has it. The result gives it back. */
  take(name: string): Promise<(() => void) | null>;
}

/** The browser's Web Locks: a closed or crashed tab gives back what it held. */
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
