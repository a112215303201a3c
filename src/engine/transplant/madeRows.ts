import type { CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { ROW, RowSource } from "../checkpoint/views/rowSource.ts";
import type { OutputDType } from "../contract/index.ts";
import type { ByteSource } from "../core/bytes.ts";
import { fromF32 } from "../core/tensor/convert.ts";
import { byteLength, isOutputDType } from "../core/tensor/dtype.ts";
import { type RecordStore, readRecord } from "../fuse/dataset/recordStore.ts";
import { BATCH_TOKENS, type TokenMatrix } from "./approximate.ts";

export const foldersOf = (id: string) => `transplant/${id}`;

/** Number of records that a matrix's new rows take. */
export const recordsOf = ({ match }: TokenMatrix): number =>
  Math.ceil(match.added.length / BATCH_TOKENS);

const dtypeOf = ({ dtype }: CheckpointTensor): OutputDType =>
  isOutputDType(dtype) ? dtype : "F32";

/** Rows as a record, in the model's dtype. */
export function encodeRows(
  rows: readonly Float32Array[],
  { own }: TokenMatrix,
): Uint8Array<ArrayBuffer> {
  const width = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) values.set(row, i * width);
  return fromF32(values, dtypeOf(own));
}

/** Bytes of records that are all of one length but the last, one after the other. */
function recordSource(
  records: RecordStore,
  folder: string,
  { first, each, total }: { readonly first: number; readonly each: number; readonly total: number },
): ByteSource {
  return {
    byteLength: total,
    async read(start, length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const index = Math.floor((start + at) / each);
        const inside = start + at - index * each;
        const record = await readRecord(records, folder, first + index);
        const part = record.subarray(inside, inside + length - at);
        bytes.set(part, at);
        at += part.byteLength;
      }
      return bytes;
    },
  };
}

/** View of a matrix in the donor's vocabulary: the model's rows, made ones, and zeros. */
export function viewMatrix(
  matrix: TokenMatrix,
  records: RecordStore,
  folder: string,
  firstRecord: number,
): CheckpointTensor {
  const { own, match } = matrix;
  const dtype = dtypeOf(own);
  const width = own.elementCount / Math.max(1, own.shape[0]!);
  const elementCount = match.added.length * width;
  const total = byteLength(dtype, elementCount);
  const each = byteLength(dtype, BATCH_TOKENS * width);
  const made: CheckpointTensor = {
    ...own,
    dtype,
    shape: [match.added.length, ...own.shape.slice(1)],
    elementCount,
    byteLength: total,
    source: recordSource(records, folder, { first: firstRecord, each, total }),
    start: 0,
  };
  return viewRows(own, match, made);
}

/** View of a tensor with one row a token: the model's rows, those of `made`, and zeros. */
export function viewRows(
  own: CheckpointTensor,
  match: TokenMatrix["match"],
  made: CheckpointTensor | null,
): CheckpointTensor {
  const { count, added } = match;
  const shared = new Int32Array(count).fill(ROW.zero);
  const sharedRow = new Int32Array(count);
  for (const [place, id] of added.entries()) {
    if (!made) break;
    shared[id] = 1;
    sharedRow[id] = place;
  }
  const none = new Int32Array(count).fill(-1);
  const dtype = dtypeOf(own);
  const rows = { count, own: [match.own, none], shared, sharedRow };
  return new RowSource([own, made ?? undefined], rows, 0, { wide: dtype, narrow: dtype }).view();
}
