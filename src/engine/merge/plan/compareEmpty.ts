import { roleOf } from "../../checkpoint/tensorRoles/role.ts";
import type { Finding } from "../../contract/index.ts";
import { mergeRole } from "../../core/tensor/dtype.ts";
import { finding, type Source } from "./sources.ts";

/** Weights without elements are what DeepSpeed's ZeRO-3 leaves in a file of partitioned parameters. */
export function compareEmpty(source: Source): readonly Finding[] {
  const empty = [...source.checkpoint.tensors.values()].filter(
    ({ elementCount, dtype }) => elementCount === 0 && mergeRole(dtype) !== "copy",
  );
  const first = empty.find(({ name }) => roleOf(name).group !== "other") ?? empty[0];
  if (!first) return [];
  const known = roleOf(first.name).group !== "other";
  const count = empty.length === 1 ? "1 tensor" : `${empty.length} tensors`;
  const sentence = `"${source.key}" has ${count} without elements, such as "${first.name}": DeepSpeed ZeRO-3 saves partitioned weights so. Save the model with "stage3_gather_16bit_weights_on_model_save": true, or put its weights together with zero_to_fp32.py.`;
  const about = { source, tensor: first.name };
  return [finding(known ? "error" : "warning", "not-mergeable", sentence, about)];
}
