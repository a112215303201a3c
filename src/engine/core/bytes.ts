/**
 * Where bytes come from and go to. The formats, the stores and the merge meet here: a dropped file,
 * a value in IndexedDB and a file on disk are all a `ByteSource`.
 */
export interface ByteSource {
  readonly byteLength: number;
  /**
   * Bytes [start, start + length). Never fewer: `truncated` when the source has become shorter.
   * The array is the caller's own.
   */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * A short text that is another one once the bytes were changed, found without reading them all.
   * Missing where nobody else can change them.
   */
  mark?(): Promise<string>;
}

/** Files by path, relative, with `/` between the parts. */
export type FileTree = ReadonlyMap<string, ByteSource>;

/** Takes one file's bytes, in order, and can say how many would survive the end of the process. */
export interface ByteSink {
  /** Bytes that are durable; a sink that is opened again goes on from here. */
  readonly durableBytes: number;
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes everything appended so far durable. */
  flush(): Promise<void>;
}

/** A checkpoint being written: files are opened by path, in any order, and sealed once at the end. */
export interface FileTreeWriter {
  /** Opens a file of exactly `byteLength` bytes, or goes on with one that was begun. */
  open(path: string, byteLength: number): Promise<ByteSink>;
  /** All files are there: from now on the tree counts as complete. */
  seal(): Promise<void>;
}

/** A source over bytes in memory: for tests, small side files and goldens. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return {
    byteLength: bytes.byteLength,
    read: async (start, length) => new Uint8Array(bytes.slice(start, start + length)),
  };
}

/** Reads a whole small source; `limit` bounds it before anything is allocated. */
export async function readAll(source: ByteSource, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!(source.byteLength <= limit)) {
    throw new RangeError(`${source.byteLength} bytes where at most ${limit} were expected`);
  }
  return source.read(0, source.byteLength);
}

/** Bytes that a text takes in UTF-8. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
