import { createSHA256, xxhash128 } from "hash-wasm";

/**
 * The hash of a stored value. xxHash128: it guards against disks and half-written values, not against
 * an adversary (who could rewrite the hash too), and must cost nothing beside a read from IndexedDB.
 */
export function hashBytes(bytes: Uint8Array): Promise<string> {
  return xxhash128(bytes);
}

/** SHA-256 of bytes that come in pieces; `digest` gives lower-case hex, as `sha256sum` does. */
export async function startSha256(): Promise<{
  update(bytes: Uint8Array): void;
  digest(): string;
}> {
  const hasher = await createSHA256();
  return { update: (bytes) => void hasher.update(bytes), digest: () => hasher.digest("hex") };
}

/** SHA-256 of plain data as JSON writes it, in hex: fields in another order are other data. */
export async function hashPlain(value: unknown): Promise<string> {
  const hash = await startSha256();
  hash.update(new TextEncoder().encode(JSON.stringify(value)));
  return hash.digest();
}
