import { EngineError } from "../../contract/index.ts";

/*
 * A file of records, docs/fused-dataset.md: eight bytes of magic, then for each record its length and
 * its CRC-32 as u32, little-endian, and its bytes.
 */

/** Magic bytes of a record file: "FSREC" and the version of the framing. */
export const RECORD_FILE_MAGIC = new Uint8Array([0x46, 0x53, 0x52, 0x45, 0x43, 0, 0, 1]);
export const FRAME_HEADER_BYTES = 8;
/** Largest record, far above any document of a fused dataset. */
const MAX_RECORD_BYTES = 64 * 2 ** 20;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

/** CRC-32 (ISO-HDLC), as zlib's `crc32` gives it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[i]!) & 255]!;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A record with its length and checksum before it. */
export function frameRecord(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(FRAME_HEADER_BYTES + bytes.byteLength);
  const view = new DataView(framed.buffer);
  view.setUint32(0, bytes.byteLength, true);
  view.setUint32(4, crc32(bytes), true);
  framed.set(bytes, FRAME_HEADER_BYTES);
  return framed;
}

/** Reader of a record file's bytes. */
export interface RecordFile {
  readonly byteLength: number;
  /** Bytes [start, start + length). */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Position of a record in its file. */
export interface RecordPlace {
  readonly start: number;
  readonly byteLength: number;
}

/**
 * Records of a file, in order. At a torn or damaged record the generator returns its position and
 * the problem; after a whole file `problem` is null.
 */
export async function* walkRecords(
  file: RecordFile,
): AsyncGenerator<
  RecordPlace & { readonly bytes: Uint8Array<ArrayBuffer> },
  { readonly end: number; readonly problem: string | null }
> {
  let at = RECORD_FILE_MAGIC.byteLength;
  for (let index = 0; at < file.byteLength; index++) {
    if (at + FRAME_HEADER_BYTES > file.byteLength) return torn(at, index);
    const header = new DataView((await file.read(at, FRAME_HEADER_BYTES)).buffer);
    const byteLength = header.getUint32(0, true);
    const start = at + FRAME_HEADER_BYTES;
    if (byteLength > MAX_RECORD_BYTES) {
      return { end: at, problem: `record ${index} would have ${byteLength} bytes` };
    }
    if (start + byteLength > file.byteLength) return torn(at, index);
    const bytes = await file.read(start, byteLength);
    if (crc32(bytes) !== header.getUint32(4, true)) {
      return { end: at, problem: `record ${index} is damaged: its checksum differs` };
    }
    yield { start, byteLength, bytes };
    at = start + byteLength;
  }
  return { end: at, problem: null };
}

const torn = (end: number, index: number) => ({ end, problem: `record ${index} is cut off` });

/** Whether a file begins with the magic bytes. */
export async function isRecordFile(file: RecordFile): Promise<boolean> {
  if (file.byteLength < RECORD_FILE_MAGIC.byteLength) return false;
  const magic = await file.read(0, RECORD_FILE_MAGIC.byteLength);
  return RECORD_FILE_MAGIC.every((byte, i) => magic[i] === byte);
}

/** Records of a file that must be complete; `bad-header` or `truncated` with its name otherwise. */
export async function* readRecordFile(
  file: RecordFile,
  name: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (!(await isRecordFile(file))) {
    throw new EngineError("bad-header", `${name} is not a record file: it begins otherwise.`, {
      file: name,
    });
  }
  const records = walkRecords(file);
  for (;;) {
    const next = await records.next();
    if (!next.done) {
      yield next.value.bytes;
      continue;
    }
    const { end, problem } = next.value;
    if (problem === null) return;
    const message = `${name}: ${problem} (at byte ${end} of ${file.byteLength}). Copy the file again.`;
    throw new EngineError("truncated", message, { file: name, at: end });
  }
}
