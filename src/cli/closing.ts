/** Something that is open until it is closed. */
interface Opened {
  close(): Promise<void>;
}

/** Does work that opens things; what it kept is closed at the end, the last first, come what may. */
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
