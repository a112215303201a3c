import type { Checkpoint, CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import { findEmbedding, findHead, isTied } from "../../checkpoint/tensorRoles/head.ts";
import { rowLength } from "../../checkpoint/views/gatherRows.ts";
import { byteLength, mergeRole } from "../../core/tensor/dtype.ts";
import { findNonfinite, readRows } from "./fillRows.ts";

/** Bytes that are looked through at the end of a tensor, where padding and added tokens are. */
const SCANNED_BYTES = 8 * 2 ** 20;

/** Matrix with a row for each token. */
type Part = "embedding" | "head";

/** A row of tokens that holds NaN or infinity. */
export interface NonfiniteRow {
  readonly part: Part;
  readonly row: number;
  /** Its first element that is no number. */
  readonly column: number;
  readonly value: number;
}

/** Consecutive such rows of one model, and the models that hold numbers in all of them. */
export interface NonfiniteRows extends NonfiniteRow {
  readonly count: number;
  readonly numbersIn: readonly Checkpoint[];
}

const findStored = (checkpoint: Checkpoint, part: Part) =>
  part === "head" ? findHead(checkpoint) : findEmbedding(checkpoint);

/** Whether a merge computes with the tensor. */
function isMergeable(tensor: CheckpointTensor | null): tensor is CheckpointTensor {
  if (!tensor || rowLength(tensor) === 0) return false;
  const role = mergeRole(tensor.dtype);
  return role === "gpu" || role === "convert";
}

/**
 * Rows of a model's embedding and head that hold NaN or infinity, as padding does that was never
 * initialised. Looks through the last 8 MiB of each.
 */
export async function scanTokenRows(checkpoint: Checkpoint): Promise<readonly NonfiniteRow[]> {
  const found: NonfiniteRow[] = [];
  for (const part of ["embedding", "head"] as const) {
    const tensor = findStored(checkpoint, part);
    if (!isMergeable(tensor)) continue;
    const length = rowLength(tensor);
    const rows = tensor.shape[0]!;
    const count = Math.min(rows, Math.ceil(SCANNED_BYTES / byteLength(tensor.dtype, length)));
    const values = await readRows(tensor, rows - count, count);
    for (const [at, column] of findNonfinite(values, length).entries()) {
      if (column < 0) continue;
      found.push({ part, row: rows - count + at, column, value: values[at * length + column]! });
    }
  }
  return found;
}

/** Rows between these in which the model holds numbers; a tied head is its embedding. */
async function findNumbers(
  checkpoint: Checkpoint,
  part: Part,
  first: number,
  end: number,
): Promise<ReadonlySet<number>> {
  const stored = findStored(checkpoint, part);
  const tensor = stored ?? (isTied(checkpoint) ? findEmbedding(checkpoint) : null);
  const count = isMergeable(tensor) ? Math.min(end, tensor.shape[0]!) - first : 0;
  if (!isMergeable(tensor) || count <= 0) return new Set();
  const columns = findNonfinite(await readRows(tensor, first, count), rowLength(tensor));
  return new Set(columns.flatMap((column, at) => (column < 0 ? [first + at] : [])));
}

const isSame = (a: readonly Checkpoint[], b: readonly Checkpoint[]) =>
  a.length === b.length && a.every((checkpoint, i) => checkpoint === b[i]);

/** The rows that `scanTokenRows` found in one model, with those of the others that have numbers there. */
export async function compareTokenRows(
  found: readonly NonfiniteRow[],
  others: readonly Checkpoint[],
): Promise<readonly NonfiniteRows[]> {
  const joined: NonfiniteRows[] = [];
  for (const part of ["embedding", "head"] as const) {
    const own = found.filter((each) => each.part === part);
    if (own.length === 0) continue;
    const [first, end] = [own[0]!.row, own.at(-1)!.row + 1];
    const numbers = new Map<Checkpoint, ReadonlySet<number>>();
    for (const other of others) numbers.set(other, await findNumbers(other, part, first, end));
    for (const each of own) {
      const numbersIn = others.filter((other) => numbers.get(other)?.has(each.row));
      const last = joined.at(-1);
      const follows = last?.part === part && last.row + last.count === each.row;
      if (last && follows && isSame(last.numbersIn, numbersIn)) {
        joined[joined.length - 1] = { ...last, count: last.count + 1 };
      } else {
        joined.push({ ...each, count: 1, numbersIn });
      }
    }
  }
  return joined;
}
