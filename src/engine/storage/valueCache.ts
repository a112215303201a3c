type Value = Uint8Array<ArrayBuffer>;

/** A file's values in memory: that which is read, and its neighbour where a read lies across both. */
const VALUES_OF_A_FILE = 2;
/** Kept in any case: two values each of six files. */
const FEW_VALUES = 12;
/** Of 16 MiB each, 1 GiB: more is never held, however many files are read side by side. */
const MOST_VALUES = 64;
/** A merge reads its sources in turn. A file that was passed over in so many turns is done with. */
const TURNS = 8;
/** Nothing is held for a merge that may never come. */
const IDLE_MS = 10_000;

interface CachedFile {
  readonly values: Map<number, Promise<Value>>;
  /** The number of the last read of this file. */
  readAt: number;
}

/**
 * The values that reads of many files side by side need again, so that each is loaded once: two for
 * every file that is being read. Keys name files; whoever loads a value says how.
 */
export class ValueCache {
  /** The file that was read longest ago is first. */
  readonly #files = new Map<string, CachedFile>();
  #reads = 0;
  #isWatched = false;

  /** How many values are held. */
  get size(): number {
    let size = 0;
    for (const { values } of this.#files.values()) size += values.size;
    return size;
  }

  /** Value `index` of a file; a load that fails is not kept. */
  get(key: string, index: number, load: () => Promise<Value>): Promise<Value> {
    const file = this.#files.get(key) ?? { values: new Map(), readAt: 0 };
    this.#files.delete(key);
    this.#files.set(key, file);
    file.readAt = ++this.#reads;
    const loading = file.values.get(index) ?? load();
    file.values.delete(index);
    file.values.set(index, loading);
    loading.catch(() => {
      if (file.values.get(index) === loading) file.values.delete(index);
    });
    if (file.values.size > VALUES_OF_A_FILE) dropFirst(file.values);
    this.#dropUnread();
    if (!this.#isWatched) this.#clearWhenIdle();
    return loading;
  }

  /** Value `index` of a file has changed. */
  forget(key: string, index: number): void {
    this.#files.get(key)?.values.delete(index);
  }

  clear(): void {
    this.#files.clear();
  }

  #clearWhenIdle(): void {
    const before = this.#reads;
    this.#isWatched = true;
    setTimeout(() => {
      this.#isWatched = false;
      if (this.#reads === before) this.clear();
      else this.#clearWhenIdle();
    }, IDLE_MS);
  }

  #dropUnread(): void {
    let { size } = this;
    for (const [key, { values, readAt }] of this.#files) {
      if (size <= FEW_VALUES) return;
      const isDone = this.#reads - readAt > TURNS * this.#files.size;
      if (!isDone && size <= MOST_VALUES) return;
      size -= values.size;
      this.#files.delete(key);
    }
  }
}

function dropFirst(values: Map<number, unknown>): void {
  const [first] = values.keys();
  values.delete(first as number);
}
