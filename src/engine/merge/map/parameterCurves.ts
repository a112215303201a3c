import { placeTensor } from "../../checkpoint/place.ts";
import { roleOf } from "../../checkpoint/tensorRoles/role.ts";
import type { ParameterCurve, Scalar } from "../../contract/index.ts";
import type { Value } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";

/** One value of a parameter, where it holds. */
interface Point {
  readonly parameter: string;
  readonly model: string | null;
  readonly list: string | null;
  readonly column: string;
  readonly layer: number;
  readonly value: Scalar;
}

/** The parameters that have a value for one tensor: the whole merge's, and each model's own. */
function pointsOf(plan: Plan, { name, action, present, resolved }: OutputTensor): readonly Point[] {
  if (action !== "merge") return [];
  const { list, layer } = roleOf(name);
  const place = { list, column: placeTensor(name).column, layer: layer ?? 0 };
  const drawn = (parameter: string) => {
    const kind = plan.method.params[parameter]?.kind;
    return kind === "number" || kind === "boolean";
  };
  const points = (values: Readonly<Record<string, Value>>, model: string | null) =>
    Object.entries(values).flatMap(([parameter, value]): readonly Point[] =>
      drawn(parameter) && (typeof value === "number" || typeof value === "boolean")
        ? [{ ...place, parameter, model, value }]
        : [],
    );
  return [
    ...points(resolved.global, null),
    ...resolved.models.flatMap((values, i) => points(values, plan.keys[present[i]!]!)),
  ];
}

/** Values by a key of their own, in the order in which the keys came first. */
function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string) {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/**
 * Every parameter of a merge as it is resolved, over the layers of each list: gradients, filters and
 * the levels of a recipe come to one number for each tensor. Columns of equal values share a curve.
 */
export function traceParameters(plan: Plan): readonly ParameterCurve[] {
  const points = plan.outputs.flatMap((output) => pointsOf(plan, output));
  const layers = new Map<string | null, number>();
  for (const { list, layer } of points) {
    layers.set(list, Math.max(layers.get(list) ?? 0, layer + 1));
  }
  const lines = groupBy(points, ({ parameter, model, list, column }) =>
    JSON.stringify([parameter, model, list, column]),
  );
  const curves = [...lines.values()].map((line): ParameterCurve => {
    const { parameter, model, list, column } = line[0]!;
    const values: (Scalar | null)[] = Array.from({ length: layers.get(list)! }, () => null);
    for (const { layer, value } of line) values[layer] = value;
    return { parameter, model, list, columns: [column], values };
  });
  const alike = groupBy(curves, ({ parameter, model, list, values }) =>
    JSON.stringify([parameter, model, list, values]),
  );
  return [...alike.values()].map((same) => ({
    ...same[0]!,
    columns: same.flatMap(({ columns }) => columns),
  }));
}
