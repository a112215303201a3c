import { type CheckpointTensor, roundedTensor } from "../../checkpoint/checkpoint.ts";
import { countsTokens } from "../../checkpoint/tensorRoles/role.ts";
import type { DType, Finding } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import { mergeRole } from "../../core/tensor/dtype.ts";
import type { MergeMethod, Values } from "../method.ts";
import { finding, findTensor, formatShape, type Source, type Sources } from "./sources.ts";

/** What becomes of one tensor, before its parameters are resolved. */
export interface Gathered {
  readonly action: "merge" | "copy";
  readonly shape: readonly number[];
  readonly copyFrom: CheckpointTensor | null;
  readonly base: CheckpointTensor | null;
  readonly models: readonly CheckpointTensor[];
  /** Indices into the merge's models. */
  readonly present: readonly number[];
  readonly findings: readonly Finding[];
}

interface Found {
  readonly source: Source;
  readonly tensor: CheckpointTensor;
  /** Index among the models; -1 for the base. */
  readonly index: number;
}

function copyOf(tensor: CheckpointTensor, findings: readonly Finding[]): Gathered {
  const nothing = { base: null, models: [], present: [] };
  return {
    action: "copy",
    shape: tensor.shape,
    copyFrom: roundedTensor(tensor),
    ...nothing,
    findings,
  };
}

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((axis, i) => axis === b[i]);

/** Everything but the first axis is equal. */
const sameRows = (a: readonly number[], b: readonly number[]) =>
  a.length > 0 && sameShape(a.slice(1), b.slice(1)) && b.length > 0;

/** Integers, booleans and sub-byte numbers: kept when equal, which only the data can tell. */
function gatherExact(name: string, found: readonly Found[]): Gathered {
  const [first, ...rest] = found as readonly [Found, ...Found[]];
  const findings: Finding[] = [];
  const other = rest.find(({ tensor }) => tensor.dtype !== first.tensor.dtype);
  const misshapen = rest.find(({ tensor }) => !sameShape(tensor.shape, first.tensor.shape));
  if (other) {
    findings.push(
      finding(
        "error",
        "not-mergeable",
        `"${name}" is ${other.tensor.dtype} in "${other.source.key}" and ${first.tensor.dtype} in "${first.source.key}": these cannot be merged.`,
        { source: other.source, tensor: name },
      ),
    );
  } else if (misshapen) {
    findings.push(
      finding(
        "error",
        "mismatch",
        `"${name}" has the shape ${formatShape(misshapen.tensor.shape)} in "${misshapen.source.key}" and ${formatShape(first.tensor.shape)} in "${first.source.key}".`,
        { source: misshapen.source, tensor: name },
      ),
    );
  } else if (rest.length > 0) {
    const message = `"${name}" holds ${first.tensor.dtype}: it is copied if it is equal in all models, else the merge stops there.`;
    findings.push(finding("note", "info", message, { tensor: name }));
  }
  const models = found.filter(({ index }) => index >= 0);
  return {
    ...copyOf(first.tensor, findings),
    base: found.find(({ index }) => index < 0)?.tensor ?? null,
    models: models.map(({ tensor }) => tensor),
    present: models.map(({ index }) => index),
  };
}

/** Brings the shapes together, by cutting rows of tokens where that is allowed, or says why not. */
function matchShapes(
  name: string,
  found: readonly Found[],
  base: Found | undefined,
  tokenRows: MergeMethod["tokenRows"],
): { readonly shape: readonly number[]; readonly findings: readonly Finding[] } {
  const first = base ?? (found[0] as Found);
  const findings: Finding[] = [];
  let shape = first.tensor.shape;
  const tokens = countsTokens(name) && tokenRows !== "equal";
  if (
    tokens &&
    tokenRows === "common" &&
    found.every(({ tensor }) => sameRows(tensor.shape, shape))
  ) {
    shape = [Math.min(...found.map(({ tensor }) => tensor.shape[0]!)), ...shape.slice(1)];
  }
  for (const { source, tensor } of found) {
    if (sameShape(tensor.shape, shape)) continue;
    const about = { source, tensor: name };
    const rows = shape[0]!;
    const size = `"${name}" has the shape ${formatShape(tensor.shape)} in "${source.key}"`;
    if (tokens && sameRows(tensor.shape, shape) && tensor.shape[0]! > rows) {
      const lost = `rows ${rows} to ${tensor.shape[0]! - 1}, and the tokens they stand for, are left out`;
      findings.push(
        finding("warning", "mismatch", `${size}; it is cut to ${rows} rows: ${lost}.`, about),
      );
    } else {
      const against = `${formatShape(first.tensor.shape)} in "${first.source.key}"`;
      const why =
        tokens && sameRows(tensor.shape, shape)
          ? ": the base has more rows than the model, and the missing ones cannot be made up."
          : ": these cannot be merged.";
      findings.push(finding("error", "mismatch", `${size} and ${against}${why}`, about));
    }
  }
  return { shape, findings };
}

/** One warning for each model that lacks the tensor. */
function reportMissing(
  name: string,
  sources: Sources,
  found: readonly Found[],
  consequence: string,
): readonly Finding[] {
  return sources.models.flatMap((source, index) =>
    found.some((candidate) => candidate.index === index)
      ? []
      : [
          finding(
            "warning",
            "missing-tensor",
            `"${source.key}" has no tensor "${name}": ${consequence}.`,
            { source, tensor: name },
          ),
        ],
  );
}

/**
 * Finds one output tensor in every checkpoint and decides what becomes of it, from headers alone.
 * Nothing is dropped without a finding.
 */
export function gatherTensor(name: string, sources: Sources, global: Values): Gathered {
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

  const kept = method.keep?.(name, global) ?? null;
  if (kept !== null) {
    const wanted = kept === "base" ? base : models.find(({ index }) => index === 0);
    const from = wanted ?? first;
    const findings = wanted
      ? []
      : [
          finding(
            "warning",
            "missing-tensor",
            `"${name}" is kept from "${from.source.key}": the ${kept === "base" ? "base" : "first model"} has none.`,
            { source: from.source, tensor: name },
          ),
        ];
    return copyOf(from.tensor, findings);
  }

  const roles = found.map(({ tensor }) => mergeRole(tensor.dtype));
  const described = found.find((_, i) => roles[i] === "describe");
  if (described) {
    const dtype: DType = described.tensor.dtype;
    const message = `"${name}" is stored as ${dtype} in "${described.source.key}", which cannot be merged.`;
    const about = { source: described.source, tensor: name };
    return copyOf(first.tensor, [finding("error", "not-mergeable", message, about)]);
  }
  if (roles.includes("copy")) {
    const gathered = gatherExact(name, found);
    const missing = reportMissing(name, sources, models, "it is copied from the others");
    return { ...gathered, findings: [...gathered.findings, ...missing] };
  }

  const blendsWithout = method.blendsBase && method.base === "optional";
  if (sources.base && !base && !blendsWithout) {
    if (method.blendsBase && models.length > 0) {
      const message = `Only "${first.source.key}" has the tensor "${name}": it is copied as it is.`;
      const about = { source: first.source, tensor: name };
      return copyOf(first.tensor, [finding("warning", "missing-tensor", message, about)]);
    }
    const message = `The base "${sources.base.key}" has no tensor "${name}", which "${first.source.key}" has: without it the change cannot be told.`;
    const about = { source: first.source, tensor: name };
    return copyOf(first.tensor, [finding("error", "missing-tensor", message, about)]);
  }
  if (models.length === 0 || models.length < Math.min(method.models.min, sources.models.length)) {
    const consequence = `it is copied from "${first.source.key}"`;
    return copyOf(first.tensor, reportMissing(name, sources, models, consequence));
  }

  const tokenRows = method.tokenRows ?? (method.base === "none" ? "common" : "base");
  const { shape, findings } = matchShapes(name, found, base, tokenRows);
  const consequence =
    base === undefined ? "it is merged from the others" : "the model takes no part there";
  return {
    action: "merge",
    shape,
    copyFrom: null,
    base: base?.tensor ?? null,
    models: models.map(({ tensor }) => tensor),
    present: models.map(({ index }) => index),
    findings: [...findings, ...reportMissing(name, sources, models, consequence)],
  };
}
