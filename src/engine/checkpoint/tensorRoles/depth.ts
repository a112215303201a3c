import type { Checkpoint } from "../checkpoint.ts";
import { roleOf, type TensorRole } from "./role.ts";

/** Layer of a tensor within its own stack: `layer` is null outside the layers. */
export interface Depth {
  readonly layer: number | null;
  readonly layers: number;
}

/** Whether a stack is one that num_hidden_layers may count. */
const isOwnStack = ({ stack, list }: TensorRole) =>
  list !== null && (stack === "text" || stack === "encoder" || stack === "decoder");
const isTextLayers = ({ stack, list }: TensorRole) =>
  stack === "text" && /(^|\.)(layers?|h|blocks?)$/.test(list ?? "");

/** Number of layers of each numbered list, from its tensors' names. */
function countLists(names: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) {
    const { list, layer } = roleOf(name);
    if (list === null || layer === null) continue;
    counts.set(list, Math.max(counts.get(list) ?? 0, layer + 1));
  }
  return counts;
}

/**
 * Layer of any tensor of a checkpoint within its own stack: a vision tower of 24 layers has a layer
 * 20 of 24, whatever the language model's depth. The language model's depth is config.json's, since
 * layers for multi-token prediction (MTP) may be numbered after it.
 */
export function openDepths({ config, tensors }: Checkpoint): (tensor: string) => Depth {
  const counts = countLists(tensors.keys());
  return (tensor) => {
    const role = roleOf(tensor);
    const counted = counts.get(role.list ?? "") ?? 0;
    const stated = isTextLayers(role) ? config?.layers : null;
    return { layer: role.layer, layers: stated ?? counted };
  };
}

/** Number of layers of a checkpoint: its config's, else by its tensors' names. */
export function countLayers({ config, tensors }: Checkpoint): number {
  if (config?.layers !== null && config?.layers !== undefined) return config.layers;
  let own = 0;
  let deepest = 0;
  for (const name of tensors.keys()) {
    const role = roleOf(name);
    const depth = (role.layer ?? -1) + 1;
    deepest = Math.max(deepest, depth);
    if (isOwnStack(role)) own = Math.max(own, depth);
  }
  return own > 0 ? own : deepest;
}

/** Number of layers in one numbered list, by its tensors' names. */
export function countLayersIn({ tensors }: Checkpoint, list: string | null): number {
  return countLists(tensors.keys()).get(list ?? "") ?? 0;
}
