import { EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { f16ToF32Bits, f32BitsToF16 } from "../../core/tensor/convert.ts";

/** Writer of numbers and texts in little-endian; equal values give equal bytes. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  #room(count: number): Uint8Array {
    const end = this.#length + count;
    if (end > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.byteLength));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    const room = this.#bytes.subarray(this.#length, end);
    this.#length = end;
    return room;
  }

  byte(value: number): void {
    this.#room(1)[0] = value;
  }

  /** Writes a whole number of at most 53 bits in LEB128: seven bits a byte, the lowest first. */
  varint(value: number): void {
    invariant(Number.isSafeInteger(value) && value >= 0, `${value} is a whole number`);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128);
    this.byte(rest);
  }

  double(value: number): void {
    const room = this.#room(8);
    new DataView(room.buffer, room.byteOffset).setFloat64(0, value, true);
  }

  /** Writes a text as its length in bytes and its UTF-8. */
  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.varint(bytes.byteLength);
    this.#room(bytes.byteLength).set(bytes);
  }

  /** Writes a width of 2 or 4 bytes, the smallest that fits all numbers, then the numbers. */
  ids(values: Uint32Array): void {
    const width = values.every((id) => id < 65536) ? 2 : 4;
    this.byte(width);
    const room = this.#room(width * values.length);
    const view = new DataView(room.buffer, room.byteOffset);
    for (let i = 0; i < values.length; i++) {
      if (width === 2) view.setUint16(2 * i, values[i]!, true);
      else view.setUint32(4 * i, values[i]!, true);
    }
  }

  /** Writes a width of 2 bytes where all values are exact in f16, else 4, then the values. */
  floats(values: Float32Array): void {
    const bits = new Uint32Array(new Float32Array(values).buffer);
    const width = bits.every((value) => f16ToF32Bits(f32BitsToF16(value)) === value) ? 2 : 4;
    this.byte(width);
    const room = this.#room(width * values.length);
    const view = new DataView(room.buffer, room.byteOffset);
    for (let i = 0; i < values.length; i++) {
      if (width === 2) view.setUint16(2 * i, f32BitsToF16(bits[i]!), true);
      else view.setUint32(4 * i, bits[i]!, true);
    }
  }

  /** Writes ascending numbers as their differences, the first from `start`. */
  rising(values: Uint32Array, start = 0): void {
    let before = start;
    for (const value of values) {
      this.varint(value - before);
      before = value;
    }
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

/**
 * Reader of a `ByteWriter`'s bytes; every length is checked before use, since the bytes may come
 * from anyone.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(count: number): number {
    const at = this.#at;
    if (!(count <= this.#bytes.byteLength - at)) {
      const message = `A record of a fused dataset ends after ${this.#bytes.byteLength} bytes, but ${count} more were due at byte ${at}.`;
      throw new EngineError("truncated", message, { at, due: count });
    }
    this.#at = at + count;
    return at;
  }

  /** Throws the error of a record whose parts contradict each other. */
  refuse(problem: string): never {
    const message = `A record of a fused dataset is damaged near byte ${this.#at}: ${problem}. Delete the fusion and run it again, or copy the file again.`;
    throw new EngineError("bad-offsets", message, { at: this.#at });
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  varint(most = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (value > most) this.refuse(`a number is above ${most}`);
      if (byte < 128) return value;
      if (scale > 2 ** 46) this.refuse("a number does not end");
    }
  }

  /** Number of items of at least `bytes` bytes each, at most what the remaining bytes can hold. */
  count(bytes = 1): number {
    const left = this.#bytes.byteLength - this.#at;
    return this.varint(Math.floor(left / bytes));
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  text(): string {
    const length = this.count();
    const at = this.#take(length);
    // Keeps U+FEFF at the start: inside a record it is text, not a byte order mark.
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      this.#bytes.subarray(at, at + length),
    );
  }

  #width(): number {
    const width = this.byte();
    if (width !== 2 && width !== 4) this.refuse(`a width of ${width} bytes`);
    return width;
  }

  ids(count: number): Uint32Array<ArrayBuffer> {
    const width = this.#width();
    const at = this.#take(width * count);
    const values = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      values[i] =
        width === 2
          ? this.#view.getUint16(at + 2 * i, true)
          : this.#view.getUint32(at + 4 * i, true);
    }
    return values;
  }

  floats(count: number): Float32Array<ArrayBuffer> {
    const width = this.#width();
    const at = this.#take(width * count);
    const bits = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      bits[i] =
        width === 2
          ? f16ToF32Bits(this.#view.getUint16(at + 2 * i, true))
          : this.#view.getUint32(at + 4 * i, true);
    }
    return new Float32Array(bits.buffer);
  }

  /** Ascending numbers, none above `most`. */
  rising(count: number, start = 0, most = 2 ** 32 - 1): Uint32Array<ArrayBuffer> {
    if (count > this.#bytes.byteLength - this.#at) this.#take(count);
    const values = new Uint32Array(count);
    let before = start;
    for (let i = 0; i < count; i++) {
      before += this.varint(most - before);
      values[i] = before;
    }
    return values;
  }

  end(): void {
    const left = this.#bytes.byteLength - this.#at;
    if (left > 0) this.refuse(`${left} bytes too many`);
  }
}
