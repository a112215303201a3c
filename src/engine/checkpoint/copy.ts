import type { ByteSink, ByteSource } from "../core/bytes.ts";

/** Read at once: large enough for a disk's speed, small enough that two of them are nothing. */
const PIECE_BYTES = 8 * 2 ** 20;

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Bytes of this file that are written, those of earlier runs included. */
  onBytes(doneBytes: number): void;
}

/**
 * Copies the rest of a file, from where the sink stopped, reading one piece ahead. What was copied
 * is durable when this ends, however it ends.
 */
export async function copyFile(
  source: ByteSource,
  sink: ByteSink,
  { signal, onBytes }: CopyOptions,
): Promise<void> {
  const read = (at: number) => {
    const reading = source.read(at, Math.min(PIECE_BYTES, source.byteLength - at));
    reading.catch(() => undefined); // Reported when its turn comes; never if the copy ends before.
    return reading;
  };
  let at = sink.durableBytes;
  onBytes(at);
  let next = at < source.byteLength ? read(at) : null;
  try {
    while (next) {
      signal.throwIfAborted();
      const piece = await next;
      at += piece.byteLength;
      next = at < source.byteLength ? read(at) : null;
      await sink.append(piece);
      onBytes(at);
    }
  } catch (error) {
    // The first error counts: after a full disk this one fails for the same reason.
    await sink.flush().catch(() => undefined);
    throw error;
  }
  await sink.flush();
}
