import { EngineError, type OutputDType } from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import { byteLength, isOutputDType } from "../../core/tensor/dtype.ts";
import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";
import { countsTokens } from "../tensorRoles/role.ts";
import { rowLength } from "./gatherRows.ts";
import { ROW, RowSource, type VocabularyRows } from "./rowSource.ts";

/**
 * Views of checkpoints whose tensors with one row a token have the rows of another vocabulary.
 * Nothing is read or copied before a range is; a range costs its own rows, read in the order of the
 * file where they lie close, and padding one pass over the tensor. A tensor whose rows stay the same
 * is the same object, one that only loses its last rows a shorter range of the same bytes. Means are
 * summed and rounded in `dtype`, or else in the widest dtype of the tensors, as mergekit does.
 */
export function rebuildRows(
  checkpoints: readonly Checkpoint[],
  rowsFor: (present: readonly boolean[]) => VocabularyRows,
  dtype?: OutputDType,
): readonly Checkpoint[] {
  const names = new Set(checkpoints.flatMap(({ tensors }) => [...tensors.keys()]));
  const changed = new Map<string, readonly (CheckpointTensor | undefined)[]>();
  for (const name of [...names].filter(countsTokens)) {
    const tensors = checkpoints.map((each) => each.tensors.get(name));
    if (tensors.some((tensor) => tensor?.shape.length === 0)) continue;
    const rows = rowsFor(tensors.map((tensor) => tensor !== undefined));
    changed.set(name, rebuildTensor(name, tensors, rows, dtype));
  }
  return checkpoints.map((checkpoint, i) => {
    const own = [...checkpoint.tensors];
    const views = own.map(([name, tensor]) => [name, changed.get(name)?.[i] ?? tensor] as const);
    if (views.every(([, view], at) => view === own[at]![1])) return checkpoint;
    return { ...checkpoint, tensors: new Map(views) };
  });
}

function rebuildTensor(
  name: string,
  tensors: readonly (CheckpointTensor | undefined)[],
  rows: VocabularyRows,
  dtype: OutputDType | undefined,
): readonly (CheckpointTensor | undefined)[] {
  const present = tensors.filter((tensor) => tensor !== undefined);
  requireFit(name, tensors, rows);
  const exact = widest(
    present.map((tensor) => (isOutputDType(tensor.dtype) ? tensor.dtype : "F32")),
  );
  const computes = rows.shared.some((from) => from === ROW.mean || from === ROW.padding);
  const narrow = dtype ?? exact;
  const wide = computes ? widest([exact, narrow]) : exact;
  return tensors.map((tensor, i) => {
    if (tensor === undefined) return tensor;
    const kept = keepsFirst(rows.own[i]!);
    if (kept) return firstRows(tensor, rows.count);
    return new RowSource(tensors, rows, i, { wide, narrow }).view();
  });
}

const keepsFirst = (own: Int32Array) => own.every((row, i) => row === i);

/** A tensor's first rows, of the same bytes. */
function firstRows(tensor: CheckpointTensor, count: number): CheckpointTensor {
  if (tensor.shape[0] === count) return tensor;
  const { quantised: _, ...plain } = tensor;
  const elementCount = count * rowLength(tensor);
  const shape = [count, ...tensor.shape.slice(1)];
  return { ...plain, shape, elementCount, byteLength: byteLength(tensor.dtype, elementCount) };
}

/** The narrowest dtype that holds the values of all. */
function widest(dtypes: readonly OutputDType[]): OutputDType {
  const [first = "F32"] = dtypes;
  return dtypes.every((dtype) => dtype === first) ? first : "F32";
}

function requireFit(
  name: string,
  tensors: readonly (CheckpointTensor | undefined)[],
  { own, shared, sharedRow }: VocabularyRows,
): void {
  const [first] = tensors.filter((tensor) => tensor !== undefined);
  for (const [i, tensor] of tensors.entries()) {
    if (!tensor || !first) continue;
    const [height = 0] = tensor.shape;
    let highest = own[i]!.reduce((most, row) => Math.max(most, row), -1);
    for (const [row, from] of shared.entries()) {
      if (from === i) highest = Math.max(highest, sharedRow[row]!);
    }
    if (highest < height && rowLength(tensor) === rowLength(first)) continue;
    const why =
      highest < height
        ? `rows of ${rowLength(tensor)} values where others have ${rowLength(first)}`
        : `${height} rows, but a token of its tokenizer has the id ${highest}`;
    throw new EngineError("bad-shape", `The tensor ${clip(name)} has ${why}.`, {
      tensor: name.slice(0, 120),
      shape: tensor.shape.join(" × "),
    });
  }
}
