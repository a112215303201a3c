/** A resource that must be closed. */
interface Opened {
  close(): Promise<void>;
}

/**
 * Runs work that opens resources, and closes them at the end in reverse order, whatever happens.
 */
export async function closing<T>(
  work: (keep: <O extends Opened>(opened: O) => O) => Promise<T>,
): Promise<T> {
  const kept: Opened[] = [];
  try {
    return await work((opened) => {
      kept.push(opened);
      return opened;
    });
  } finally {
    for (const opened of kept.reverse()) await opened.close();
  }
}
