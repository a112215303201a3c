/**
 * A new name of 128 random bits in hexadecimal. `crypto.randomUUID` would do, but browsers have it on
 * https and localhost only, and a studio on a server of one's own is often neither.
 */
export function makeId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
