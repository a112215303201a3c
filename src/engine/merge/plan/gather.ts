import { type CheckpointTensor, roundedTensor } from "../../checkpoint/checkpoint.ts";
import { countsTokens, isBuffer } from "../../checkpoint/tensorRoles/role.ts";
import type { Finding, Recipe } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { mergeRole } from "../../core/tensor/dtype.ts";
import type { Values } from "../method.ts";
import { extraAction } from "../recipe/ownKeys.ts";
import { gatherExact } from "./exact.ts";
import type { Absence } from "./extras.ts";
import { fillRows } from "./fillRows.ts";
import { type Fit, type Found, fitRows } from "./fitRows.ts";
import { finding, findTensor, formatShape, type Source, type Sources } from "./sources.ts";

/** What becomes of one tensor, before its parameters are resolved. */
export interface Gathered {
  /** `leave out`: the recipe does not want it in the result. */
  readonly action: "merge" | "copy" | "leave out";
  readonly shape: readonly number[];
  /** Elements that are merged; behind them stand those of `spare`. */
  readonly elementCount: number;
  readonly copyFrom: CheckpointTensor | null;
  readonly base: CheckpointTensor | null;
  readonly models: readonly CheckpointTensor[];
  /** Indices into the merge's models. */
  readonly present: readonly number[];
  readonly spare: CheckpointTensor | null;
  readonly findings: readonly Finding[];
  /** Where some models lack the tensor: who, and what becomes of it. */
  readonly absence: Absence | null;
}

const NOTHING_READ = { base: null, models: [], present: [], spare: null } as const;

/** A tensor that is copied as it is stored. */
function copyOf(
  tensor: CheckpointTensor,
  findings: readonly Finding[],
  absence: Absence | null = null,
): Gathered {
  const { shape, elementCount } = tensor;
  const copied = { action: "copy", shape, elementCount, copyFrom: roundedTensor(tensor) } as const;
  return { ...copied, ...NOTHING_READ, findings, absence };
}

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((axis, i) => axis === b[i]);

/** Brings the shapes together, by cutting rows of tokens where that is allowed, or says why not. */
function matchShapes(name: string, found: readonly Found[], sources: Sources): Fit {
  const [first, ...rest] = found as readonly [Found, ...Found[]];
  const { shape } = first.tensor;
  const whole = { shape, mergedRows: null, spare: null };
  const others = rest.filter(({ tensor }) => !sameShape(tensor.shape, shape));
  if (others.length === 0) return { ...whole, findings: [] };
  const sameRows = found.every(
    ({ tensor }) => tensor.shape.length > 0 && sameShape(tensor.shape.slice(1), shape.slice(1)),
  );
  if (countsTokens(name) && shape.length > 0 && sameRows) {
    return fitRows(name, found, sources);
  }
  const against = `${formatShape(shape)} in "${first.source.key}"`;
  const findings = others.map(({ source, tensor }) => {
    const size = `"${name}" has the shape ${formatShape(tensor.shape)} in "${source.key}"`;
    const sentence = `${size} and ${against}: these cannot be merged. Leave one of the two models out, or take the version of it that has this shape.`;
    return finding("error", "mismatch", sentence, { source, tensor: name });
  });
  return { ...whole, findings };
}

/** A tensor that the method keeps from the base or the first model. */
function keep(name: string, kept: "base" | "first", found: readonly Found[]): Gathered {
  const wanted = found.find(({ index }) => index === (kept === "base" ? -1 : 0));
  const from = wanted ?? (found[0] as Found);
  if (wanted) return copyOf(from.tensor, []);
  const sentence = `"${name}" is kept from "${from.source.key}": the ${kept === "base" ? "base" : "first model"} has none.`;
  const about = { source: from.source, tensor: name };
  return copyOf(from.tensor, [finding("warning", "missing-tensor", sentence, about)]);
}

/**
 * Finds one output tensor in every checkpoint and decides what becomes of it, from headers alone.
 * Nothing is dropped without a finding.
 */
export function gatherTensor(
  name: string,
  sources: Sources,
  { recipe, global }: { readonly recipe: Recipe; readonly global: Values },
): Gathered {
  const { method } = sources;
  const find = (source: Source, index: number): readonly Found[] => {
    const tensor = findTensor(source.checkpoint, name);
    return tensor ? [{ source, tensor, index }] : [];
  };
  const models = sources.models.flatMap(find);
  const base = sources.base ? find(sources.base, -1)[0] : undefined;
  const found = base ? [base, ...models] : models;
  const first = found[0];
  invariant(first, "an output tensor is in at least one checkpoint");
  if (isBuffer(name)) return copyOf(first.tensor, []);

  const all = sources.base ? [sources.base, ...sources.models] : sources.models;
  const lacks = all.filter((source) => !found.some((each) => each.source === source));
  const has = found.map(({ source }) => source);
  const wanted = lacks.length > 0 ? extraAction(recipe, name) : null;
  if (wanted !== null) {
    const copied = copyOf(first.tensor, [], { tensor: name, has, lacks, outcome: wanted });
    return wanted === "leave_out" ? { ...copied, action: "leave out" } : copied;
  }

  const kept = method.keep?.(name, global) ?? null;
  if (kept !== null) return keep(name, kept, found);

  const described = found.find(({ tensor }) => mergeRole(tensor.dtype) === "describe");
  if (described) {
    const { source, tensor } = described;
    const message = `"${name}" is stored as ${tensor.dtype} in "${source.key}", which cannot be merged.`;
    const about = { source, tensor: name };
    return copyOf(first.tensor, [finding("error", "not-mergeable", message, about)]);
  }
  const absence = (outcome: Absence["outcome"]): Absence | null =>
    lacks.length === 0 ? null : { tensor: name, has, lacks, outcome };
  if (found.length === 1 && lacks.length > 0) {
    return copyOf(first.tensor, [], absence("only one has it"));
  }
  const present = models.map(({ index }) => index);
  const merged = {
    base: base?.tensor ?? null,
    models: models.map(({ tensor }) => tensor),
    present,
  };
  if (found.some(({ tensor }) => mergeRole(tensor.dtype) === "copy")) {
    const copied = copyOf(first.tensor, gatherExact(name, found), absence("copied if equal"));
    return { ...copied, ...merged };
  }
  const blendsWithout = method.blendsBase && method.base === "optional";
  if (sources.base && !base && !blendsWithout) {
    return copyOf(first.tensor, [], absence("the base lacks it"));
  }
  if (models.length < Math.min(method.models.min, sources.models.length)) {
    return copyOf(first.tensor, [], absence("only one has it"));
  }

  const { shape, mergedRows, spare, findings } = matchShapes(name, found, sources);
  const fills = recipe.fillNanRows === true && countsTokens(name);
  const readFrom = ({ tensor }: Found) => {
    const others = found.filter((other) => other.tensor !== tensor);
    return fills
      ? fillRows(
          tensor,
          others.map((other) => other.tensor),
        )
      : tensor;
  };
  const count = (axes: readonly number[]) => axes.reduce((product, axis) => product * axis, 1);
  return {
    action: "merge",
    shape,
    elementCount: count(mergedRows === null ? shape : [mergedRows, ...shape.slice(1)]),
    copyFrom: null,
    base: base ? readFrom(base) : null,
    models: models.map(readFrom),
    present,
    spare,
    findings,
    absence: absence("merged from the others"),
  };
}
