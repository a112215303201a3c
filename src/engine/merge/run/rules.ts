import type { ShaderConstants } from "../../gpu/shaderConstants.ts";
import type { SumRule } from "../../gpu/tiles/rule.ts";
import {
  findLines,
  type Layout,
  type Lines,
  layOut,
  type Part,
  wholeTensor,
} from "../../gpu/tiles/tiling.ts";
import type { Reduction } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";

/** A reduce rule for one tensor. */
export interface TensorRule extends SumRule {
  readonly powers: Reduction["powers"] | undefined;
}

/** Whether the method's own rules get a base; a blended base is one of the models instead. */
export function seesBase({ method }: Pick<Plan, "method">, { base }: OutputTensor): boolean {
  return base !== null && method.blendsBase !== true;
}

/** Number of models that the method's own rules get. */
export function modelsSeen(plan: Pick<Plan, "method">, output: OutputTensor): number {
  const blended = output.base !== null && !seesBase(plan, output);
  return output.models.length + Number(blended);
}

/** The method's reduction of a tensor, or null. */
export function reductionOf(
  { method }: Pick<Plan, "method">,
  { resolved }: OutputTensor,
): Reduction | null {
  return method.reduce?.(resolved) ?? null;
}

/** Unit that a tensor is decided in: the whole of it, its rows or its columns. */
export function partOf(plan: Pick<Plan, "method">, output: OutputTensor): Part {
  return reductionOf(plan, output)?.part ?? "tensor";
}

/** Spare rows are no part of what is merged. */
function mergedShape({ shape, elementCount, spare }: OutputTensor): readonly number[] {
  if (!spare) return shape;
  const row = shape.slice(1);
  return [elementCount / row.reduce((product, axis) => product * axis, 1), ...row];
}

/** Lines that a method derives values along; null where it derives none. */
export function linesOf({ method }: Pick<Plan, "method">, output: OutputTensor): Lines | null {
  const derivation = method.derive?.(output.resolved) ?? null;
  return derivation && findLines(mergedShape(output), derivation.lines);
}

/** Layout of a tensor as its method's rules traverse it. */
export function layoutOf(plan: Pick<Plan, "method">, output: OutputTensor): Layout {
  return linesOf(plan, output)?.layout ?? layOut(mergedShape(output), partOf(plan, output));
}

/** Layout of a tensor for sums and selections over the whole of it. */
export function wholeLayoutOf(plan: Pick<Plan, "method">, output: OutputTensor): Layout {
  return linesOf(plan, output)?.layout ?? wholeTensor(output.elementCount);
}

/** The method's own reduce rule for a tensor. */
export function ownRule(
  plan: Pick<Plan, "method">,
  output: OutputTensor,
  { rule, rows, powers }: Reduction,
  constants: readonly number[],
): TensorRule {
  const models = modelsSeen(plan, output);
  const hasBase = seesBase(plan, output);
  const linked = plan.method.linked?.(output.resolved);
  const counted = rows?.(models) ?? models;
  return { rule, constants, linked, rows: counted, hasBase, powers, seesDerived: true };
}

/**
 * A reduce rule with a row for each model and the base as the base; with constants where it is the
 * method's.
 */
export function rowPerModel(
  output: OutputTensor,
  rule: string,
  constants?: readonly number[],
  linked?: ShaderConstants,
): TensorRule {
  const { base, models } = output;
  const about = { hasBase: base !== null, powers: undefined, seesDerived: constants !== undefined };
  return { rule, constants: constants ?? [], linked, rows: models.length, ...about };
}

/** Key under which the shares of a tensor decided in parts are stored among the sums. */
export const partShares = ({ rule }: Reduction) => `shares/${rule}`;
