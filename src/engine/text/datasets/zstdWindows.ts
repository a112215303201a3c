/** Largest window of a frame; zstd itself accepts no more by default. */
const MOST_WINDOW = 128 << 20;
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;

/**
 * Parses the frame headers of a Zstandard stream (RFC 8878, section 3.1) and throws for a window
 * above 128 MiB, since the decoder allocates whatever a frame states.
 */
export class ZstdWindows {
  #held = new Uint8Array(0);
  #skip = 0;
  #inFrame = false;
  #hasChecksum = false;

  push(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#held.byteLength > 0) {
      bytes = new Uint8Array(this.#held.byteLength + chunk.byteLength);
      bytes.set(this.#held);
      bytes.set(chunk, this.#held.byteLength);
    }
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.byteLength - at);
      this.#skip -= skipped;
      at += skipped;
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.byteLength - at);
      const taken = this.#inFrame ? this.#readBlock(view) : this.#readHeader(view);
      if (taken === 0) break;
      at += taken;
    }
    this.#held = bytes.slice(at);
  }

  /** Length of a block's header; 0 where it is incomplete. */
  #readBlock(view: DataView): number {
    if (view.byteLength < 3) return 0;
    const header = view.getUint16(0, true) | (view.getUint8(2) << 16);
    const isRepeated = ((header >> 1) & 3) === 1;
    this.#skip = isRepeated ? 1 : header >> 3;
    if (header & 1) {
      this.#inFrame = false;
      if (this.#hasChecksum) this.#skip += 4;
    }
    return 3;
  }

  /** Length of a frame's header; 0 where it is incomplete. */
  #readHeader(view: DataView): number {
    if (view.byteLength < 8) return 0;
    const magic = view.getUint32(0, true);
    if (magic >>> 4 === SKIPPABLE) {
      this.#skip = view.getUint32(4, true);
      return 8;
    }
    if (magic !== MAGIC) throw new Error("it has something else between its frames");
    const flags = view.getUint8(4);
    const isSingle = (flags & 0x20) !== 0;
    const idBytes = [0, 1, 2, 4][flags & 3]!;
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6]!;
    const sizeAt = 5 + (isSingle ? 0 : 1) + idBytes;
    if (view.byteLength < sizeAt + sizeBytes) return 0;
    const window = isSingle ? readSize(view, sizeAt, sizeBytes) : readWindow(view.getUint8(5));
    if (window > MOST_WINDOW) {
      throw new Error(`it needs a window of ${window} bytes; at most ${MOST_WINDOW} are given`);
    }
    this.#inFrame = true;
    this.#hasChecksum = (flags & 4) !== 0;
    return sizeAt + sizeBytes;
  }
}

function readSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  if (bytes === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

function readWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
