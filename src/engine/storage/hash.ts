import { createSHA256, createXXHash128, xxhash128 } from "hash-wasm";
import type { ByteSource } from "../core/bytes.ts";

/**
 * The hash of a stored value. xxHash128: it guards against disks and half-written values, not against
 * an adversary (who could rewrite the hash too), and must cost nothing beside a read from IndexedDB.
 */
export function hashBytes(bytes: Uint8Array): Promise<string> {
  return xxhash128(bytes);
}

/** SHA-256 over bytes in pieces; `digest` gives lower-case hex, as `sha256sum` does. */
export async function startSha256(): Promise<{
  update(bytes: Uint8Array): void;
  digest(): string;
}> {
  const hasher = await createSHA256();
  return { update: (bytes) => void hasher.update(bytes), digest: () => hasher.digest("hex") };
}

/**
 * A line of SHA256SUMS as `sha256sum` writes and checks it: a name with a backslash or a line end is
 * escaped, and a backslash before the sum says so.
 */
export function formatSum(sum: string, name: string): string {
  const escaped = name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${escaped === name ? "" : "\\"}${sum}  ${escaped}\n`;
}

/** SHA-256 of plain data as JSON, in hex; the order of fields matters. */
export async function hashPlain(value: unknown): Promise<string> {
  const hash = await startSha256();
  hash.update(new TextEncoder().encode(JSON.stringify(value)));
  return hash.digest();
}

/** Bytes at the start of a file that are hashed whole: most headers, and every small file. */
const HEAD_BYTES = 2 ** 20;
const SAMPLE_BYTES = 4096;
const SAMPLES = 64;

/**
 * A hash of a file's first MiB and of 64 blocks of 4 KiB spread evenly to its end: enough to tell a
 * file from another state of it that was trained, converted or copied over, at the cost of 1.25 MiB.
 */
export async function hashSamples(
  source: Pick<ByteSource, "byteLength" | "read">,
): Promise<string> {
  const { byteLength } = source;
  const hasher = await createXXHash128();
  const head = Math.min(HEAD_BYTES, byteLength);
  hasher.update(await source.read(0, head));
  const left = byteLength - head;
  const count = Math.min(SAMPLES, Math.ceil(left / SAMPLE_BYTES));
  for (let i = 1; i <= count; i++) {
    const end = head + Math.floor((left * i) / count);
    const length = Math.min(SAMPLE_BYTES, end - head);
    hasher.update(await source.read(end - length, length));
  }
  return hasher.digest("hex");
}
