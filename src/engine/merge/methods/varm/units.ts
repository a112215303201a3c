/**
 * Where a tensor stands, by its name: the stack's number is the first dotted part that is a number
 * (`model.layers.3.…`, `transformer.h.3.…`, `gpt_neox.layers.3.…`).
 */
const IN_STACK = /^((?:[^.]+\.)*?[^.]+\.\d+)\.([^.]+)/;

/** The key of the layer that a tensor belongs to, or null outside the stack. */
export function layerKey(tensor: string): string | null {
  return IN_STACK.exec(tensor)?.[1] ?? null;
}

/**
 * The key of a tensor's module: attention, feed-forward or a norm of its layer; outside the stack each
 * tensor is a module of its own (FuseChat/merge/VaRM/analysis.py).
 */
export function moduleKey(tensor: string): string {
  const found = IN_STACK.exec(tensor);
  return found ? `${found[1]}.${found[2]}` : tensor;
}
