import { type CheckpointTensor, roundedTensor } from "../../checkpoint/checkpoint.ts";
import type { Finding, OutputDType, Recipe } from "../../contract/index.ts";
import { dtypeFromFloatName, isOutputDType, mergeRole } from "../../core/tensor/dtype.ts";
import { float8Table } from "../../core/tensor/float8.ts";
import type { OutputTensor } from "./outputTensor.ts";
import { finding } from "./sources.ts";

function statedDType({ dtype, outDtype }: Recipe): OutputDType | null {
  const stated = outDtype ?? dtype;
  return stated ? dtypeFromFloatName(stated) : null;
}

/**
 * The dtype of a merged tensor: as the recipe states, else as its first source stores it, else the
 * narrowest that holds what is stored there: BF16 for 8-bit floats, F32 for F64.
 */
export function outputDType(recipe: Recipe, like: CheckpointTensor): OutputDType {
  const { dtype } = roundedTensor(like);
  return (
    statedDType(recipe) ?? (isOutputDType(dtype) ? dtype : float8Table(dtype) ? "BF16" : "F32")
  );
}

const count = (tensors: readonly unknown[]) =>
  tensors.length === 1 ? "1 tensor is" : `${tensors.length} tensors are`;

/** Notes about tensors that end in another dtype than their source's or the recipe's. */
export function describeDTypes(
  recipe: Recipe,
  outputs: readonly OutputTensor[],
): readonly Finding[] {
  const stated = statedDType(recipe);
  const notes: Finding[] = [];
  const kept = outputs.filter(
    ({ action, dtype }) =>
      action === "copy" && stated !== null && dtype !== stated && mergeRole(dtype) !== "copy",
  );
  if (kept.length > 0) {
    const message = `${count(kept)} copied as stored, not as ${stated}: "${kept[0]!.name}" is ${kept[0]!.dtype}.`;
    notes.push(finding("note", "info", message));
  }
  const narrowed = outputs.filter(({ action, base, models }) => {
    const [source] = base ? [base] : models;
    return (
      action === "merge" && stated === null && source && !isOutputDType(roundedTensor(source).dtype)
    );
  });
  if (narrowed.length > 0) {
    const { base, models, name, dtype } = narrowed[0]!;
    const stored = (base ?? models[0]!).dtype;
    const message = `${count(narrowed)} written otherwise than stored: "${name}", which is ${stored}, as ${dtype}.`;
    notes.push(finding("note", "info", message));
  }
  return notes;
}
