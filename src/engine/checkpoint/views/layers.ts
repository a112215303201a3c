import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";
import { followsLayers } from "../tensorRoles/modules.ts";
import { roleOf } from "../tensorRoles/role.ts";

/** Layers of one numbered list, under new numbers, and what lies around them. */
export interface LayerCut {
  /** `model.layers`; null where there are no layers. */
  readonly list: string | null;
  /** Layers [first, end). */
  readonly range: readonly [first: number, end: number];
  /** New number of the first of them. */
  readonly at: number;
  /** Whether tensors before the layers are in the view. */
  readonly before: boolean;
  /** Whether tensors after the layers are in the view. */
  readonly after: boolean;
}

/** Name of a tensor with its layer's number raised by `by`; the same outside that list. */
export function shiftLayer(tensor: string, list: string | null, by: number): string {
  const role = roleOf(tensor);
  if (list === null || role.list !== list || role.layer === null) return tensor;
  const [, digits = ""] = /^(\d+)/.exec(tensor.slice(list.length + 1)) ?? [];
  return `${list}.${role.layer + by}${tensor.slice(list.length + 1 + digits.length)}`;
}

/** View of a checkpoint with some of its tensors. */
export function pickTensors(checkpoint: Checkpoint, names: ReadonlySet<string>): Checkpoint {
  const tensors = [...checkpoint.tensors].filter(([name]) => names.has(name));
  return { ...checkpoint, tensors: new Map(tensors) };
}

/** View of a checkpoint with a range of its layers under new numbers. Nothing is read or copied. */
export function cutLayers(
  checkpoint: Checkpoint,
  { list, range: [first, end], at, before, after }: LayerCut,
): Checkpoint {
  const tensors = new Map<string, CheckpointTensor>();
  for (const [own, tensor] of checkpoint.tensors) {
    const role = roleOf(own);
    if (role.list === list && role.layer !== null) {
      if (role.layer < first || role.layer >= end) continue;
      const name = shiftLayer(own, list, at - first);
      tensors.set(name, { ...tensor, name });
    } else if (followsLayers(own) ? after : before) {
      tensors.set(own, tensor);
    }
  }
  return { ...checkpoint, tensors };
}
