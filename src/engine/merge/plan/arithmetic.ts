import type { OutputDType, Recipe } from "../../contract/index.ts";
import { dtypeFromFloatName, isOutputDType } from "../../core/tensor/dtype.ts";
import type { MergeMethod, Values } from "../method.ts";
import type { Gathered } from "./gather.ts";

/**
 * What every step of a tensor's merge is rounded to. Where the method does as mergekit does, the
 * recipe's `dtype`, else what torch promotes the stored dtypes to; otherwise float32.
 */
export function arithmeticOf(
  method: MergeMethod,
  { dtype }: Recipe,
  global: Values,
  { base, models }: Pick<Gathered, "base" | "models">,
): OutputDType {
  const { profile = "mergekit" } = global;
  if (!method.roundsSteps || profile !== "mergekit") return "F32";
  if (dtype) return dtypeFromFloatName(dtype);
  const [stored, ...others] = new Set([...(base ? [base] : []), ...models].map((t) => t.dtype));
  return stored && others.length === 0 && isOutputDType(stored) ? stored : "F32";
}
