import type { ByteSource } from "../../core/bytes.ts";
import { invariant } from "../../core/invariant.ts";
import { type CheckpointTensor, readTensor } from "../checkpoint.ts";

/**
 * Tensors of one dtype, one after the other, as one tensor: [E·rows, columns] of E matrices, or any
 * other shape of as many elements, such as [E, rows, columns]. Nothing is copied until it is read.
 */
export function stackTensors(
  name: string,
  shape: readonly number[],
  parts: readonly CheckpointTensor[],
): CheckpointTensor {
  const [first] = parts;
  invariant(first && parts.every(({ dtype }) => dtype === first.dtype), `"${name}" has one dtype`);
  const elementCount = parts.reduce((sum, part) => sum + part.elementCount, 0);
  const counted = shape.reduce((product, axis) => product * axis, 1);
  invariant(counted === elementCount, `"${name}" has as many elements as its parts`);
  const source = joinSources(parts);
  const { dtype, file } = first;
  return {
    name,
    dtype,
    shape,
    elementCount,
    byteLength: source.byteLength,
    file,
    source,
    start: 0,
  };
}

function joinSources(parts: readonly CheckpointTensor[]): ByteSource {
  const starts = [0];
  for (const { byteLength } of parts) starts.push(starts.at(-1)! + byteLength);
  return {
    byteLength: starts.at(-1)!,
    async read(start, length) {
      const whole = new Uint8Array(length);
      for (const [i, part] of parts.entries()) {
        const from = Math.max(start, starts[i]!);
        const to = Math.min(start + length, starts[i + 1]!);
        if (from >= to) continue;
        whole.set(await readTensor(part, from - starts[i]!, to - from), from - start);
      }
      return whole;
    },
  };
}
