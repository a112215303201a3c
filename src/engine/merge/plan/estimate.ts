import { byteLength, isOutputDType } from "../../core/tensor/dtype.ts";
import { formatBytes, PLAIN_FORMATS } from "../../core/tensor/weightFormat.ts";
import type { MergeMethod } from "../method.ts";
import type { OutputTensor, Plan, TileBudget } from "./outputTensor.ts";

/** Passes over a tensor that a selection counts for, whatever its values ask for. */
const SELECT_PASSES = 3;

const sourcesOf = ({ base, models }: OutputTensor) => (base ? [base, ...models] : models);

/** Bytes of a merged tensor as its sources store it. */
const storedBytes = (output: OutputTensor): number =>
  sourcesOf(output).reduce((sum, { dtype }) => sum + byteLength(dtype, output.elementCount), 0);

/** Bytes of a merged tensor's sources and result on the GPU. */
function tileBytesOf(output: OutputTensor): number {
  const format = (dtype: OutputTensor["dtype"]) =>
    PLAIN_FORMATS[isOutputDType(dtype) ? dtype : "F32"];
  const bytes = (dtype: OutputTensor["dtype"]) => formatBytes(format(dtype), output.elementCount);
  // Written once on the GPU and once where the host reads it.
  return sourcesOf(output).reduce((sum, { dtype }) => sum + bytes(dtype), 2 * bytes(output.dtype));
}

/** The budget for tiles that stay: half of all. */
const stayingBudget = ({ tileBytes, slots, totalBytes = tileBytes * slots }: TileBudget) =>
  totalBytes / 2;

/** The GPU memory that tiles of these tensors take at most. */
export function estimatePeak(
  method: MergeMethod,
  outputs: readonly OutputTensor[],
  budget: TileBudget,
): number {
  let largest = 0;
  let staying = 0;
  for (const output of outputs) {
    if (output.action === "copy") continue;
    const bytes = tileBytesOf(output);
    largest = Math.max(largest, Math.min(bytes, budget.tileBytes));
    const { passes } = readingsOf(method, output);
    if (passes > 1 && bytes <= stayingBudget(budget)) staying = Math.max(staying, bytes);
  }
  // The next tensor is read while one is at work.
  return Math.max(largest * budget.slots, Math.min(2 * staying, stayingBudget(budget)));
}

/** A method's answers about a tensor, as far as they decide how often it is gone through. */
interface Readings {
  readonly selects: boolean;
  readonly reduces: boolean;
  /** Rows or columns are summed and decided by themselves. */
  readonly inParts: boolean;
  /** Passes of the merge alone, the writing one included. */
  readonly passes: number;
}

export function readingsOf(method: MergeMethod, { resolved }: OutputTensor): Readings {
  const reduction = method.reduce?.(resolved) ?? null;
  const selects = Boolean(method.select?.(resolved));
  const reduces = reduction !== null;
  const inParts = (reduction?.part ?? "tensor") !== "tensor";
  return {
    selects,
    reduces,
    inParts,
    passes: 1 + Number(reduces) + SELECT_PASSES * Number(selects),
  };
}

/** Passes over a tensor to measure it, with what a map shows where `captions` are given. */
function passesToMeasure(
  method: MergeMethod,
  output: OutputTensor,
  captions: readonly string[] | undefined,
): number {
  const { selects, reduces, inParts } = readingsOf(method, output);
  const shown = captions !== undefined;
  const own = reduces && !inParts;
  const beside = output.base !== null && shown && captions.length > 0;
  const shares = shown && !inParts && Boolean(method.elementShares?.(output.resolved));
  // The shares of elements follow from a decision: where that needs sums, they wait for them.
  const sums = own ? 1 + Number(shares) : Number(beside || shares);
  return SELECT_PASSES * Number(selects) + sums + Number(shown && reduces && inParts);
}

/**
 * How often each merged tensor is read: once where all its tiles fit on the GPU or one pass is all
 * there is; once more where it is decided together with others.
 */
function readsOf(method: MergeMethod, outputs: readonly OutputTensor[], budget: TileBudget) {
  const units = new Map<string, number>();
  for (const { action, unit } of outputs) {
    if (action === "merge") units.set(unit, (units.get(unit) ?? 0) + 1);
  }
  return (output: OutputTensor): number => {
    const { passes } = readingsOf(method, output);
    if (units.get(output.unit) === 1 && tileBytesOf(output) <= stayingBudget(budget)) return 1;
    return passes;
  };
}

/** How often a merged tensor of a plan is read at the most. */
export function mostReads(
  method: MergeMethod,
  outputs: readonly OutputTensor[],
  budget: TileBudget,
): number {
  const reads = readsOf(method, outputs, budget);
  const merged = outputs.filter(({ action }) => action === "merge");
  return merged.reduce((most, output) => Math.max(most, reads(output)), 1);
}

/** Bytes read of the tensors that are not merged, and of spare rows. */
function bytesBeside({
  action,
  base,
  models,
  copyFrom,
  spare,
  elementCount,
}: OutputTensor): number {
  if (action === "merge")
    return spare ? spare.byteLength - byteLength(spare.dtype, elementCount) : 0;
  const compared = (base ? [base, ...models] : models).reduce(
    (total, { byteLength }) => total + byteLength,
    0,
  );
  return compared + (copyFrom?.byteLength ?? 0);
}

/** All bytes that a merge reads at the most, those of tensors that are only copied among them. */
export function estimateReads(
  method: MergeMethod,
  outputs: readonly OutputTensor[],
  budget: TileBudget,
): number {
  const reads = readsOf(method, outputs, budget);
  return outputs.reduce((sum, output) => {
    const own = output.action === "merge" ? reads(output) * storedBytes(output) : 0;
    return sum + own + bytesBeside(output);
  }, 0);
}

/**
 * Work of measuring one tensor, in bytes that a pass goes through: what progress is told in, since
 * passes over tiles on the GPU take their time, too.
 */
export function workToMeasure(
  method: MergeMethod,
  output: OutputTensor,
  captions?: readonly string[],
): number {
  return passesToMeasure(method, output, captions) * storedBytes(output);
}

/** The same of all merged tensors of a plan. */
export function bytesToMeasure(
  { method, outputs }: Pick<Plan, "method" | "outputs">,
  captions?: readonly string[],
): number {
  const merged = outputs.filter(({ action }) => action === "merge");
  return merged.reduce((sum, output) => sum + workToMeasure(method, output, captions), 0);
}

/**
 * Work of writing a plan's tensors: the last pass of each, the sums of rows and columns that are
 * decided then, and what is copied.
 */
export function bytesToWrite({ method, outputs }: Pick<Plan, "method" | "outputs">): number {
  return outputs.reduce((sum, output) => {
    if (output.action === "copy") return sum + bytesBeside(output);
    const passes = 1 + Number(readingsOf(method, output).inParts);
    return sum + passes * storedBytes(output) + bytesBeside(output);
  }, 0);
}

/** Work of a whole merge. */
export function bytesToMerge(plan: Plan, captions?: readonly string[]): number {
  return bytesToMeasure(plan, captions) + bytesToWrite(plan);
}
