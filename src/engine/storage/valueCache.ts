type Value = Uint8Array<ArrayBuffer>;

/** Values of a file in memory: the one being read, and its neighbour where a read spans both. */
const VALUES_OF_A_FILE = 2;
/** Values that are always kept: two each of six files. */
const FEW_VALUES = 12;
/** Largest number of values, of 16 MiB each: 1 GiB. */
const MOST_VALUES = 64;
/**
 * Rounds of reads without a read of a file after which its values are dropped: merges read sources
 * in turn.
 */
const TURNS = 8;
/** Milliseconds after the last read when all values are dropped. */
const IDLE_MS = 10_000;

interface CachedFile {
  readonly values: Map<number, Promise<Value>>;
  /** Number of the last read of this file. */
  readAt: number;
}

/**
 * Cache of the values that parallel reads of many files need again, so that each is loaded once:
 * two values for every file being read. Keys name files; the caller supplies the load.
 */
export class ValueCache {
  /** Files, the least recently read first. */
  readonly #files = new Map<string, CachedFile>();
  #reads = 0;
  #isWatched = false;

  /** Number of cached values. */
  get size(): number {
    let size = 0;
    for (const { values } of this.#files.values()) size += values.size;
    return size;
  }

  /** Value `index` of a file; failed loads are not cached. */
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

  /** Drops value `index` of a file, which has changed. */
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
