import type { ByteSink, FileTree, FileTreeWriter } from "../core/bytes.ts";
import { invariant } from "../core/invariant.ts";
import type { PlannedFile } from "./formats/safetensors/shards.ts";

/** How often what is written is made durable: what a closed tab may cost. */
const FLUSH_MS = 2000;
/** Bytes of a file beside the weights that are written at once. */
const SIDE_FILE_BYTES = 4 * 2 ** 20;

/** Some bytes of a file, header or tensor. */
export interface Piece {
  /** First byte within the file. */
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Tensor or file, for progress. */
  readonly label: string;
}

/** What the shards of a checkpoint hold, and how it is made. */
export interface ShardWork {
  readonly files: readonly PlannedFile[];
  /** Files written beside the weights, in this order, or what makes them once the weights are there. */
  readonly sideFiles: FileTree | (() => Promise<FileTree>);
  /** Bytes of a file behind its header, in order; those before byte `from` may be left out. */
  pieces(file: PlannedFile, from: number): AsyncIterable<Piece>;
  /** Runs the writing of one file, again where it can go on after a failure; absent: once. */
  persist?(write: () => Promise<void>, position: () => number): Promise<void>;
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** Progress in bytes written, and the tensor at hand. */
  progress?(doneBytes: number, label: string): void;
}

/**
 * Writes the planned files in order, each from where its sink stopped, then the files beside them, and
 * seals. What was written is kept after a cancel or a failure.
 */
export async function writeShards(
  { files, sideFiles, pieces, persist = (write) => write() }: ShardWork,
  writer: FileTreeWriter,
  { signal, progress }: WriteOptions,
): Promise<void> {
  let doneBytes = 0;
  for (const file of files) {
    const sink = await writer.open(file.path, file.byteLength);
    doneBytes += sink.durableBytes;
    await writeShard(file, sink);
  }
  for (const [path, source] of typeof sideFiles === "function" ? await sideFiles() : sideFiles) {
    const sink = await writer.open(path, source.byteLength);
    for (let at = sink.durableBytes; at < source.byteLength; at += SIDE_FILE_BYTES) {
      await sink.append(await source.read(at, Math.min(SIDE_FILE_BYTES, source.byteLength - at)));
    }
    await sink.flush();
  }
  await writer.seal();

  async function writeShard(file: PlannedFile, sink: ByteSink): Promise<void> {
    let position = sink.durableBytes;
    let flushedAt = Date.now();
    const append = async ({ start, bytes, label }: Piece) => {
      signal.throwIfAborted();
      const fresh = bytes.subarray(Math.min(bytes.byteLength, Math.max(0, position - start)));
      if (fresh.byteLength === 0) return;
      await sink.append(fresh);
      position += fresh.byteLength;
      doneBytes += fresh.byteLength;
      progress?.(doneBytes, label);
      if (Date.now() - flushedAt <= FLUSH_MS) return;
      await sink.flush();
      flushedAt = Date.now();
    };
    const write = async () => {
      await append({ start: 0, bytes: file.header, label: file.path });
      for await (const piece of pieces(file, position)) await append(piece);
      invariant(position === file.byteLength, "a shard has the length that was planned");
    };
    try {
      if (position < file.byteLength) await persist(write, () => position);
    } finally {
      await sink.flush();
    }
  }
}
