/** A source of bytes: a dropped file, a value in IndexedDB or a file on disk. */
export interface ByteSource {
  readonly byteLength: number;
  /**
   * Reads bytes [start, start + length), never fewer: `truncated` when the source has become
   * shorter. The array is the caller's own.
   */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Text that differs once the bytes were changed, found without reading all of them. Absent where
   * nothing else can change them.
   */
  mark?(): Promise<string>;
}

/** Files by path, relative, with `/` between the parts. */
export type FileTree = ReadonlyMap<string, ByteSource>;

/** A sink for one file's bytes, in order. */
export interface ByteSink {
  /** Number of durable bytes, after which a reopened sink continues. */
  readonly durableBytes: number;
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes everything appended so far durable. */
  flush(): Promise<void>;
}

/** Writer of a checkpoint: files are opened by path, in any order, and sealed once at the end. */
export interface FileTreeWriter {
  /** Opens a file of exactly `byteLength` bytes, or continues one that was begun. */
  open(path: string, byteLength: number): Promise<ByteSink>;
  /** Marks the tree as complete. */
  seal(): Promise<void>;
}

/** A source over bytes in memory: for tests, small side files and goldens. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return {
    byteLength: bytes.byteLength,
    read: async (start, length) => new Uint8Array(bytes.slice(start, start + length)),
  };
}

/** Reads a whole small source; `limit` is checked before anything is allocated. */
export async function readAll(source: ByteSource, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!(source.byteLength <= limit)) {
    throw new RangeError(`${source.byteLength} bytes where at most ${limit} were expected`);
  }
  return source.read(0, source.byteLength);
}

/** Length of a text in UTF-8 bytes. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
