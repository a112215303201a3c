/** Largest window of a frame; zstd itself accepts no more by default. */
const MOST_WINDOW = 128 << 20;
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;

/** Bytes of one frame. */
export interface FramePiece {
  readonly bytes: Uint8Array;
  /** Whether the frame ends with them. */
  readonly ends: boolean;
  /** At the end, the lower half of the content's XXH64; null where the frame has none. */
  readonly checksum: number | null;
}

/**
 * Splits a Zstandard stream (RFC 8878, section 3.1) into its frames, without those to be skipped, and
 * throws for a window above 128 MiB, since the decoder allocates whatever a frame states.
 */
export class ZstdFrames {
  #held = new Uint8Array(0);
  #skip = 0;
  #next: "frame" | "block" | "end" = "frame";
  #hasChecksum = false;
  #checksum: number | null = null;

  split(chunk: Uint8Array): readonly FramePiece[] {
    const bytes = new Uint8Array(this.#held.byteLength + chunk.byteLength);
    bytes.set(this.#held);
    bytes.set(chunk, this.#held.byteLength);
    const pieces: FramePiece[] = [];
    let [from, at] = [0, 0];
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.byteLength - at);
      this.#skip -= skipped;
      at += skipped;
      const isOutside = this.#next === "frame";
      if (isOutside) from = at; // behind a frame that is to be skipped
      if (this.#skip > 0) break;
      const taken = this.#read(new DataView(bytes.buffer, at));
      if (taken === null) break;
      at += taken;
      if (isOutside || this.#next !== "frame") continue;
      pieces.push({ bytes: bytes.slice(from, at), ends: true, checksum: this.#checksum });
      from = at;
    }
    if (at > from) pieces.push({ bytes: bytes.slice(from, at), ends: false, checksum: null });
    this.#held = bytes.slice(at);
    return pieces;
  }

  /** Throws where the last frame has not ended. */
  finish(): void {
    if (this.#next === "frame" && this.#skip === 0 && this.#held.byteLength === 0) return;
    throw new Error("its last frame has no end");
  }

  /** Length of what comes next; null where it is incomplete. */
  #read(view: DataView): number | null {
    if (this.#next === "frame") return this.#readHeader(view);
    return this.#next === "block" ? this.#readBlock(view) : this.#readEnd(view);
  }

  #readEnd(view: DataView): number | null {
    const length = this.#hasChecksum ? 4 : 0;
    if (view.byteLength < length) return null;
    this.#checksum = this.#hasChecksum ? view.getUint32(0, true) : null;
    this.#next = "frame";
    return length;
  }

  #readBlock(view: DataView): number | null {
    if (view.byteLength < 3) return null;
    const header = view.getUint16(0, true) | (view.getUint8(2) << 16);
    const isRepeated = ((header >> 1) & 3) === 1;
    this.#skip = isRepeated ? 1 : header >> 3;
    if (header & 1) this.#next = "end";
    return 3;
  }

  #readHeader(view: DataView): number | null {
    if (view.byteLength < 8) return null;
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
    if (view.byteLength < sizeAt + sizeBytes) return null;
    const window = isSingle ? readSize(view, sizeAt, sizeBytes) : readWindow(view.getUint8(5));
    if (window > MOST_WINDOW) {
      throw new Error(`it needs a window of ${window} bytes; at most ${MOST_WINDOW} are given`);
    }
    this.#next = "block";
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
