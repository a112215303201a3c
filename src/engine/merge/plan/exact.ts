import { roleOf } from "../../checkpoint/tensorRoles/role.ts";
import type { Finding } from "../../contract/index.ts";
import { mergeRole } from "../../core/tensor/dtype.ts";
import type { Found } from "./fitRows.ts";
import { finding, formatShape } from "./sources.ts";

/** Matrices of a layer, of the embedding or the head: integers there are a quantised weight's codes. */
function isMatrix(name: string, { tensor }: Found): boolean {
  const { group, part } = roleOf(name);
  return part === "weight" && group !== "other" && group !== "norm" && tensor.shape.length > 1;
}

/**
 * Integers and booleans: copied where they are equal in all models, which only the data can tell.
 * Floats of equal value are the same numbers, unless they are the matrix that others hold quantised.
 */
export function gatherExact(name: string, found: readonly Found[]): readonly Finding[] {
  const [first, ...rest] = found as readonly [Found, ...Found[]];
  const inFirst = `${first.tensor.dtype} in "${first.source.key}"`;
  const isExact = (each: Found) => mergeRole(each.tensor.dtype) === "copy";
  const other = rest.find((each) => isExact(each) !== isExact(first));
  if (other && isMatrix(name, first)) {
    const sentence = `"${name}" is ${other.tensor.dtype} in "${other.source.key}" and ${inFirst}: these cannot be merged.`;
    const about = { source: other.source, tensor: name };
    return [finding("error", "not-mergeable", sentence, about)];
  }
  const misshapen = rest.find(
    ({ tensor }) => tensor.shape.join(" ") !== first.tensor.shape.join(" "),
  );
  if (misshapen) {
    const { source, tensor } = misshapen;
    const sentence = `"${name}" has the shape ${formatShape(tensor.shape)} in "${source.key}" and ${formatShape(first.tensor.shape)} in "${first.source.key}".`;
    return [finding("error", "mismatch", sentence, { source, tensor: name })];
  }
  if (rest.length === 0) return [];
  const sentence = `"${name}" holds ${first.tensor.dtype}: it is copied if it is equal in all models, else the merge stops there.`;
  return [finding("note", "info", sentence, { tensor: name })];
}
