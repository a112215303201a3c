import { createCRC32, createXXHash64 } from "hash-wasm";
import { EngineError } from "../../contract/index.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { ZstdFrames } from "./zstdFrames.ts";

/** A file, unpacked where it is compressed. */
export interface UnpackedFile {
  /** Name without the compression's ending. */
  readonly name: string;
  readonly packed: boolean;
  /** Bytes from the beginning, as often as asked. `bad-header` where they are damaged. */
  read(): AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
}

const CHUNK_BYTES = 1 << 20;
/** Packed bytes decompressed at once: at the highest ratio, 256 MiB come out. */
const SLICE_BYTES = 8 << 10;
/** Size up to which any ratio is allowed; texts unpack to 3 to 20 times their size, logs to 100. */
const FREE_BYTES = 64 << 20;
const MOST_TIMES = 1000;
const MOST_BYTES = 2 ** 33;

/**
 * Decompresses gzip (RFC 1952) and Zstandard (RFC 8878) while reading; detected by the first bytes.
 */
export async function openUnpacked(source: ByteSource, name: string): Promise<UnpackedFile> {
  const head = await source.read(0, Math.min(4, source.byteLength));
  const starts = (...bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte);
  const unpacker = starts(0x1f, 0x8b)
    ? openGunzip
    : starts(0x28, 0xb5, 0x2f, 0xfd)
      ? openUnzstd
      : null;
  if (!unpacker) return { name, packed: false, read: () => readChunks(source, CHUNK_BYTES) };
  return {
    name: name.replace(/\.(gz|gzip|zst|zstd)$/i, ""),
    packed: true,
    read: () => unpack(source, name, unpacker),
  };
}

async function* readChunks(source: ByteSource, size: number) {
  for (let at = 0; at < source.byteLength; at += size) {
    yield await source.read(at, Math.min(size, source.byteLength - at));
  }
}

/** A decompressor: takes packed bytes in order, and passes its output to `give`. */
interface Unpacker {
  push(bytes: Uint8Array, isLast: boolean): void;
  /** Throws where the output fails its checksum. */
  check?(): Promise<void>;
}

type OpenUnpacker = (source: ByteSource, give: (bytes: Uint8Array) => void) => Promise<Unpacker>;

async function* unpack(
  source: ByteSource,
  file: string,
  open: OpenUnpacker,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  let ready: Uint8Array[] = [];
  let [taken, given] = [0, 0];
  const give = (bytes: Uint8Array) => {
    given += bytes.byteLength;
    const most = Math.min(MOST_BYTES, FREE_BYTES + MOST_TIMES * taken);
    if (given > most) {
      const message = `${file} unpacks to more than ${most} bytes, from ${taken}; no more are read. Unpack it first.`;
      throw new EngineError("usage", message, { file, limit: most });
    }
    ready.push(bytes);
  };
  const take = () => {
    const whole = new Uint8Array(ready.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const bytes of ready) {
      whole.set(bytes, at);
      at += bytes.byteLength;
    }
    ready = [];
    return whole;
  };
  const unpacker = await trying(file, () => open(source, give));
  let held = 0;
  for await (const chunk of readChunks(source, CHUNK_BYTES)) {
    for (let at = 0; at < chunk.byteLength; at += SLICE_BYTES) {
      const slice = chunk.subarray(at, at + SLICE_BYTES);
      taken += slice.byteLength;
      const isLast = taken === source.byteLength;
      await trying(file, async () => unpacker.push(slice, isLast));
      held = ready.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (held >= CHUNK_BYTES) yield take();
    }
  }
  await trying(file, async () => unpacker.check?.());
  yield take();
}

/** Checks every member's checksum, which the library does not. */
const openGunzip: OpenUnpacker = async (source, give) => {
  const [{ Gunzip }, crc] = await Promise.all([import("fflate"), createCRC32()]);
  crc.init();
  const members: { readonly crc: number; readonly end: number }[] = [];
  const close = (end: number) => {
    members.push({ crc: Number.parseInt(crc.digest("hex"), 16), end });
    crc.init();
  };
  const gunzip = new Gunzip((bytes) => {
    crc.update(bytes);
    give(bytes.slice());
  });
  gunzip.onmember = close;
  return {
    push: (bytes, isLast) => gunzip.push(bytes.slice(), isLast),
    async check() {
      close(source.byteLength);
      for (const member of members) {
        if (member.end < 18) throw new Error("it is too short");
        const trailer = await source.read(member.end - 8, 4);
        const written = new DataView(trailer.buffer, trailer.byteOffset).getUint32(0, true);
        if (written !== member.crc) throw new Error("its checksum is another");
      }
    },
  };
};

/** Checks every frame's checksum where it has one, which the library does not. */
const openUnzstd: OpenUnpacker = async (_, give) => {
  const [{ Decompress }, hash] = await Promise.all([import("fzstd"), createXXHash64()]);
  const openFrame = () => {
    hash.init();
    return new Decompress((bytes) => {
      hash.update(bytes);
      give(bytes.slice());
    });
  };
  const frames = new ZstdFrames();
  let frame = openFrame();
  return {
    push(bytes, isLast) {
      for (const piece of frames.split(bytes)) {
        frame.push(piece.bytes, piece.ends);
        if (!piece.ends) continue;
        const found = Number.parseInt(hash.digest("hex").slice(-8), 16);
        if (piece.checksum !== null && piece.checksum !== found) {
          throw new Error("its checksum is another");
        }
        frame = openFrame();
      }
      if (isLast) frames.finish();
    },
  };
};

async function trying<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const message = `${file} cannot be unpacked: ${why.slice(0, 200)}. It is damaged or not whole.`;
    throw new EngineError("bad-header", message, { file }, error);
  }
}
