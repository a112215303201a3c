import { EngineError } from "../contract/index.ts";
import type { ByteSource } from "../core/bytes.ts";
import { hashSamples } from "./hash.ts";

/**
 * Largest read at once: `Blob.arrayBuffer` fails near 2 GiB with a wrong error about permissions,
 * and is slow long before.
 */
const MOST_BYTES_AT_ONCE = 64 * 1024 * 1024;

/** Source of a dropped or picked file, which stays on the user's disk. */
export function sourceFromBlob(blob: Blob, path: string): ByteSource {
  const source = {
    byteLength: blob.size,
    async read(start: number, length: number) {
      const out = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const end = Math.min(start + length, start + done + MOST_BYTES_AT_ONCE);
        const part = await readPart(blob, path, start + done, end);
        out.set(part, done);
        done += part.byteLength;
      }
      return out;
    },
    // Browsers notice a file's newer time, but not one that was set back.
    mark: () => hashSamples(source),
  };
  return source;
}

async function readPart(blob: Blob, path: string, start: number, end: number) {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
  } catch (error) {
    throw new EngineError(
      "truncated",
      `${path}: bytes ${start} to ${end} cannot be read; the file was changed, moved or deleted after it was given. Drop it again.`,
      { file: path, start, end },
      error,
    );
  }
  if (bytes.byteLength !== end - start) {
    throw new EngineError(
      "truncated",
      `${path}: bytes ${start} to ${end} were asked for, but the file has ${blob.size}.`,
      { file: path, start, end, byteLength: blob.size },
    );
  }
  return bytes;
}
