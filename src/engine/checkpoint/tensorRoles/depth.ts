import type { Checkpoint } from "../checkpoint.ts";
import { roleOf, type TensorRole } from "./role.ts";

/** Where a tensor stands among the layers of its own list: `layer` is null beside the layers. */
export interface Depth {
  readonly layer: number | null;
  readonly layers: number;
}

/** Stacks that num_hidden_layers may count. */
const isOwnStack = ({ stack, list }: TensorRole) =>
  list !== null && (stack === "text" || stack === "encoder" || stack === "decoder");
const isTextLayers = ({ stack, list }: TensorRole) =>
  stack === "text" && /(^|\.)(layers?|h|blocks?)$/.test(list ?? "");

/** How many layers each numbered list has, as its tensors' names say. */
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
 * Tells where any tensor of a checkpoint stands in its own stack: a vision tower of 24 layers has a
 * layer 20 of 24, whatever the language model's depth is. The language model's own depth is what
 * config.json says, since layers that predict further tokens (MTP) may be numbered on behind it.
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

/** How many layers a checkpoint has: as its config says, else as its tensors' names say. */
export function countLayers({ config, tensors }: Checkpoint): number {
  if (config?.layers !== null && config?.layers !== undefined) return config.layers;
  let own = 0;
  let any = 0;
  for (const name of tensors.keys()) {
    const role = roleOf(name);
    const depth = (role.layer ?? -1) + 1;
    any = Math.max(any, depth);
    if (isOwnStack(role)) own = Math.max(own, depth);
  }
  return own > 0 ? own : any;
}
