import type { MatrixSpectrum } from "../contract/index.ts";
import {
  decodePlain,
  encodePlain,
  type RecordStore,
  readRecord,
  readRecords,
} from "../fuse/dataset/recordStore.ts";

/** What became of an item: whether it changed, and the spectrum of what became factors. */
export interface Outcome {
  readonly changed: boolean;
  readonly spectrum: MatrixSpectrum | null;
}

const folderOf = (id: string) => `extract/${id}`;

/** Outcomes of an extraction with the bytes of their factors, one record an item, in their order. */
export function storeOutcomes(records: RecordStore, id: string) {
  const folder = folderOf(id);
  return {
    count: () => records.count(folder),
    async append(outcome: Outcome, factors: Uint8Array<ArrayBuffer>): Promise<void> {
      const text = encodePlain(outcome);
      const record = new Uint8Array(4 + text.byteLength + factors.byteLength);
      new DataView(record.buffer).setUint32(0, text.byteLength, true);
      record.set(text, 4);
      record.set(factors, 4 + text.byteLength);
      await records.append(folder, [record]);
    },
    /** All outcomes, without their factors. */
    async list(): Promise<readonly Outcome[]> {
      const outcomes: Outcome[] = [];
      for await (const record of readRecords(records, folder, 0, 1))
        outcomes.push(split(record).outcome);
      return outcomes;
    },
    /** Bytes of an item's factors: A, then B. */
    factors: async (index: number) => split(await readRecord(records, folder, index)).factors,
    forget: () => records.deleteFolder(folder),
  };
}

export type OutcomeStore = ReturnType<typeof storeOutcomes>;

function split(record: Uint8Array<ArrayBuffer>) {
  const length = new DataView(record.buffer, record.byteOffset).getUint32(0, true);
  const outcome = decodePlain<Outcome>(record.subarray(4, 4 + length));
  return { outcome, factors: record.subarray(4 + length) };
}
