import { byteLength } from "../../core/tensor/dtype.ts";
import type { MergeMethod } from "../method.ts";
import { SELECT_PASSES } from "../run/select.ts";
import type { OutputTensor, Plan, TileBudget } from "./outputTensor.ts";

/** The GPU memory that tiles of these tensors take at most. */
export function estimatePeak(outputs: readonly OutputTensor[], budget: TileBudget): number {
  let largest = 0;
  for (const { action, base, models, elementCount } of outputs) {
    if (action === "copy") continue;
    const inputs = base ? [base, ...models] : models;
    // Read at most as float32; written once on the GPU and once where the host reads it.
    const bytes = inputs.length * 4 + 8;
    largest = Math.max(largest, bytes * elementCount);
  }
  return Math.min(largest, budget.tileBytes) * budget.slots;
}

/** A method's answers about a tensor, as far as they decide how often it is read. */
interface Readings {
  /** Which elements are selected, in `SELECT_PASSES` passes at the most. */
  readonly selects: boolean;
  readonly reduces: boolean;
  /** Rows or columns are summed when they are written, a whole tensor before that. */
  readonly inParts: boolean;
}

function readingsOf(method: MergeMethod, { resolved }: OutputTensor): Readings {
  const reduction = method.reduce?.(resolved) ?? null;
  return {
    selects: Boolean(method.select?.(resolved)),
    reduces: reduction !== null,
    inParts: (reduction?.part ?? "tensor") !== "tensor",
  };
}

/** How often a merged tensor is read at the most, for the merge alone. */
export function passesOf(method: MergeMethod, output: OutputTensor): number {
  const { selects, reduces } = readingsOf(method, output);
  return 1 + Number(reduces) + SELECT_PASSES * Number(selects);
}

/** How often it is read to be measured, with what a map shows where `captions` are given. */
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

/** Bytes of a merged tensor as its sources store it. */
const storedBytes = ({ base, models, elementCount }: OutputTensor): number =>
  (base ? [base, ...models] : models).reduce(
    (sum, { dtype }) => sum + byteLength(dtype, elementCount),
    0,
  );

/** All bytes that a merge reads at the most, those of tensors that are only copied among them. */
export function estimateReads(method: MergeMethod, outputs: readonly OutputTensor[]): number {
  return outputs.reduce((sum, output) => {
    const { action, base, models, copyFrom, spare, elementCount } = output;
    if (action === "merge") {
      const spareBytes = spare ? spare.byteLength - byteLength(spare.dtype, elementCount) : 0;
      return sum + passesOf(method, output) * storedBytes(output) + spareBytes;
    }
    const compared = (base ? [base, ...models] : models).reduce(
      (total, { byteLength }) => total + byteLength,
      0,
    );
    return sum + compared + (copyFrom?.byteLength ?? 0);
  }, 0);
}

/** Bytes that `measure` reads at the most, with what the captions take. */
export function bytesToMeasure(
  { method, outputs }: Pick<Plan, "method" | "outputs">,
  captions?: readonly string[],
): number {
  const merged = outputs.filter(({ action }) => action === "merge");
  return merged.reduce(
    (sum, output) => sum + passesToMeasure(method, output, captions) * storedBytes(output),
    0,
  );
}

/** The same of a whole merge, whose last pass and parts are read as it is written. */
export function bytesToMerge(plan: Plan, captions?: readonly string[]): number {
  return plan.card.readBytes + bytesToMeasure(plan, captions) - bytesToMeasure(plan);
}
