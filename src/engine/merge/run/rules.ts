import type { SumRule } from "../../gpu/tiles/tileSlot.ts";
import { type Layout, layOut, type Part } from "../../gpu/tiles/tiling.ts";
import type { Reduction } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";

/** A reduce rule as it is run over one tensor. */
export interface TensorRule extends SumRule {
  /** Whether the shaders see the base as the base. */
  readonly hasBase: boolean;
  readonly powers: Reduction["powers"] | undefined;
}

/** Whether the method's own rules see a base: not where it is blended like the models. */
export function seesBase({ method }: Pick<Plan, "method">, { base }: OutputTensor): boolean {
  return base !== null && method.blendsBase !== true;
}

/** How many models the method's own rules see. */
export function modelsSeen(plan: Pick<Plan, "method">, output: OutputTensor): number {
  const blended = output.base !== null && !seesBase(plan, output);
  return output.models.length + Number(blended);
}

/** The method's own reduction of a tensor, or null. */
export function reductionOf(
  { method }: Pick<Plan, "method">,
  { resolved }: OutputTensor,
): Reduction | null {
  return method.reduce?.(resolved) ?? null;
}

/** What a tensor is decided by: as a whole, or row by row, or column by column. */
export function partOf(plan: Pick<Plan, "method">, output: OutputTensor): Part {
  return reductionOf(plan, output)?.part ?? "tensor";
}

/** Spare rows are no part of what is merged. */
function mergedShape({ shape, elementCount, spare }: OutputTensor): readonly number[] {
  if (!spare) return shape;
  const row = shape.slice(1);
  return [elementCount / row.reduce((product, axis) => product * axis, 1), ...row];
}

/** A tensor as its method's rules go through it. */
export function layoutOf(plan: Pick<Plan, "method">, output: OutputTensor): Layout {
  return layOut(mergedShape(output), partOf(plan, output));
}

/** The method's own rule over a tensor. */
export function ownRule(
  plan: Pick<Plan, "method">,
  output: OutputTensor,
  { rule, rows, powers }: Reduction,
  constants: readonly number[],
): TensorRule {
  const models = modelsSeen(plan, output);
  const hasBase = seesBase(plan, output);
  return { rule, constants, rows: rows?.(models) ?? models, hasBase, powers };
}

/** A rule with a row for each model, which sees the base as the base. */
export function rowPerModel(
  output: OutputTensor,
  rule: string,
  constants: readonly number[] = [],
): TensorRule {
  const hasBase = output.base !== null;
  return { rule, constants, rows: output.models.length, hasBase, powers: undefined };
}

/** Where the shares of a tensor that is decided in parts lie among the facts. */
export const partShares = ({ rule }: Reduction) => `shares/${rule}`;
