import type { ByteSink, ByteSource } from "../core/bytes.ts";

/** Bytes read at once: enough for a disk's speed, little memory. */
const PIECE_BYTES = 8 * 2 ** 20;

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Called with the file's written bytes, those of earlier runs included. */
  onBytes(doneBytes: number): void;
}

/**
 * Copies the rest of a file from where the sink stopped, reading one piece ahead. Copied bytes are
 * durable when this ends, even by an error.
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
    // The first error is reported: the flush fails for the same reason after a full disk.
    await sink.flush().catch(() => undefined);
    throw error;
  }
  await sink.flush();
}
