import { type Checkpoint, type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { alignNames } from "../../checkpoint/tensorRoles/layouts.ts";
import { isBuffer } from "../../checkpoint/tensorRoles/role.ts";
import type { Finding } from "../../contract/index.ts";
import { toF64 } from "../../core/tensor/convert.ts";
import { byteLength, mergeRole } from "../../core/tensor/dtype.ts";

/** Elements that are compared of each buffer: all of a causal mask of 1,024 × 1,024. */
const COMPARED_ELEMENTS = 2 ** 20;

async function readValues(tensor: CheckpointTensor, count: number): Promise<Float64Array> {
  return toF64(await readTensor(tensor, 0, byteLength(tensor.dtype, count)), tensor.dtype);
}

/** The first element that differs, as a sentence; null where the buffers hold the same numbers. */
async function describeDifference(
  name: string,
  [mine, template]: readonly [CheckpointTensor, string],
  [theirs, other]: readonly [CheckpointTensor, string],
): Promise<string | null> {
  const kept = `it is a buffer and copied from "${template}"`;
  if (mine.elementCount !== theirs.elementCount) {
    return `"${name}" has ${theirs.elementCount} elements in "${other}" and ${mine.elementCount} in "${template}": ${kept}.`;
  }
  const count = Math.min(mine.elementCount, COMPARED_ELEMENTS);
  const [a, b] = await Promise.all([readValues(mine, count), readValues(theirs, count)]);
  const at = a.findIndex((value, i) => !Object.is(value, b[i]) && value !== b[i]);
  if (at < 0) return null;
  return `"${name}" differs: element ${at} is ${b[at]} in "${other}" and ${a[at]} in "${template}"; ${kept}.`;
}

/**
 * One warning for each buffer whose numbers differ from those of the first model that has it, which
 * the merge copies. Dtypes do not matter: 5 is 5 in I64 and in F16.
 */
export async function compareBuffers(
  checkpoints: readonly Checkpoint[],
): Promise<readonly Finding[]> {
  const firsts = new Map<string, readonly [CheckpointTensor, string]>();
  const findings: Finding[] = [];
  for (const checkpoint of new Set(checkpoints)) {
    const { tensors } = alignNames(checkpoint, checkpoints[0] as Checkpoint);
    for (const [name, tensor] of tensors) {
      if (!isBuffer(name) || mergeRole(tensor.dtype) === "describe") continue;
      const first = firsts.get(name);
      if (!first) {
        firsts.set(name, [tensor, checkpoint.name]);
        continue;
      }
      const message = await describeDifference(name, first, [tensor, checkpoint.name]);
      if (message === null) continue;
      const about = { model: checkpoint.name, tensor: name };
      findings.push({ severity: "warning", code: "mismatch", message, ...about });
    }
  }
  return findings;
}
