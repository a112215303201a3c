import type { FusionSettings } from "../../contract/index.ts";
import type { Gpu } from "../../gpu/device.ts";
import { readBytes } from "../../gpu/readBytes.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import { Recorder } from "../../runtime/kernels/recorder.ts";
import type { FusedRecord, UnfusedRecord } from "../dataset/records.ts";
import { weighRows } from "./choose.ts";
import { cutRows, type PackedRows, packRows } from "./packRows.ts";

/** Largest result buffer of a dispatch, below every device's limit. */
const MOST_RESULT_BYTES = 32 * 2 ** 20;
const MOST_ROWS = 2 ** 20;
const ROWS_A_GROUP = 64;

type MixSettings = Pick<FusionSettings, "temperature" | "tail" | "bf16">;

/**
 * Fuses documents: weights are chosen on the CPU in float64 (`weighRows`), rows are mixed on the
 * GPU. Call `refusal` first. The result is independent of the sources' order, except with bf16.
 * Errors: those of the device.
 */
export async function fuseDocuments(
  gpu: Gpu,
  documents: readonly UnfusedRecord[],
  settings: FusionSettings,
): Promise<readonly FusedRecord[]> {
  const weights = documents.map((record) => weighRows(record, settings));
  const packed = packRows(documents, weights, settings);
  const most = Math.min(MOST_ROWS, Math.ceil(MOST_RESULT_BYTES / (8 * packed.largest)));
  const writer = new FusedWriter(packed.rows, packed.entries.length / 2);
  for (let from = 0; from < packed.rows; from += most) {
    const chunk = cutRows(packed, from, Math.min(packed.rows, from + most));
    writer.add(await mixRows(gpu, chunk, settings), chunk.rows, chunk.largest);
  }
  return documents.map((record, i) => ({
    ...record,
    weights: weights[i]!,
    ...writer.take(record.pivot.positions.length),
  }));
}

/** Mixed rows: [rows, largest, 2] words of entries, then [rows, 2] with their number and tail. */
async function mixRows(
  gpu: Gpu,
  { rows, members, largest, segments, entries }: PackedRows,
  { temperature, tail, bf16 }: MixSettings,
): Promise<Uint32Array<ArrayBuffer>> {
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const words = 2 * rows * largest;
  const held = new ResourceScope();
  const allocate = (label: string, byteLength: number, usage: number) =>
    held.keep(gpu.pool.allocate(label, byteLength, usage)).buffer;
  try {
    const given = [
      allocate("rows to mix", segments.byteLength, STORAGE | COPY_DST),
      allocate("entries to mix", entries.byteLength, STORAGE | COPY_DST),
    ] as const;
    const fused = allocate("mixed rows", 4 * words, STORAGE | COPY_SRC);
    const ends = allocate("ends of mixed rows", 8 * rows, STORAGE | COPY_SRC);
    const recorder = held.keep(new Recorder(gpu));
    gpu.device.queue.writeBuffer(given[0], 0, segments);
    gpu.device.queue.writeBuffer(given[1], 0, entries);
    await recorder.add({
      shaders: ["fuse/mix_rows.wgsl"],
      constants: { BF16: bf16, BUCKET: tail === "bucket" },
      reads: given,
      writes: [fused, ends],
      integers: [rows, members, largest],
      floats: [temperature],
      groups: [Math.ceil(rows / ROWS_A_GROUP), 1],
    });
    await recorder.finish();
    const readWords = async (buffer: GPUBuffer, count: number) =>
      new Uint32Array((await readBytes(gpu, buffer, 0, 4 * count)).buffer);
    const result = new Uint32Array(words + 2 * rows);
    result.set(await readWords(fused, words));
    result.set(await readWords(ends, 2 * rows), words);
    return result;
  } finally {
    held.release();
  }
}

/** Collects the results of dispatches and returns them by document. */
class FusedWriter {
  readonly #offsets: Uint32Array<ArrayBuffer>;
  readonly #tail: Float32Array<ArrayBuffer>;
  readonly #ids: Uint32Array<ArrayBuffer>;
  readonly #values: Float32Array<ArrayBuffer>;
  #written = 0;
  #taken = 0;

  /** `entries`: upper bound, since entries of several members may share an id. */
  constructor(rows: number, entries: number) {
    this.#offsets = new Uint32Array(rows + 1);
    this.#tail = new Float32Array(rows);
    this.#ids = new Uint32Array(entries);
    this.#values = new Float32Array(entries);
  }

  add(words: Uint32Array<ArrayBuffer>, rows: number, stride: number): void {
    const floats = new Float32Array(words.buffer);
    const ends = 2 * rows * stride;
    let entry = this.#offsets[this.#written]!;
    for (let row = 0; row < rows; row++) {
      const from = 2 * row * stride;
      const to = from + 2 * words[ends + 2 * row]!;
      for (let at = from; at < to; at += 2) {
        this.#ids[entry] = words[at]!;
        this.#values[entry++] = floats[at + 1]!;
      }
      this.#tail[this.#written++] = floats[ends + 2 * row + 1]!;
      this.#offsets[this.#written] = entry;
    }
  }

  /** Removes and returns the next rows. */
  take(rows: number): Pick<FusedRecord, "fused" | "tail"> {
    const [from, to] = [this.#taken, this.#taken + rows];
    this.#taken = to;
    const start = this.#offsets[from]!;
    const offsets = this.#offsets.slice(from, to + 1).map((offset) => offset - start);
    const end = this.#offsets[to]!;
    const [ids, values] = [this.#ids.slice(start, end), this.#values.slice(start, end)];
    return { fused: { offsets, ids, values }, tail: this.#tail.slice(from, to) };
  }
}
