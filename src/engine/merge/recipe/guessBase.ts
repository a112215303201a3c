import { type Checkpoint, type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { countLayers } from "../../checkpoint/tensorRoles/depth.ts";
import { alignNames } from "../../checkpoint/tensorRoles/layouts.ts";
import { countsTokens } from "../../checkpoint/tensorRoles/role.ts";
import type { Finding } from "../../contract/index.ts";
import { toF32 } from "../../core/tensor/convert.ts";
import { bitsPerElement, mergeRole } from "../../core/tensor/dtype.ts";

/** Bytes read of each model, at most. */
const SAMPLE_BYTES = 8 * 2 ** 20;
/**
 * Number of pieces of the sample: spread over the layers, but few, since a store may read 16 MiB
 * for each.
 */
const PIECES = 16;
const LARGEST_ELEMENT_BYTES = 8;
/**
 * Largest number of multiplications over all pairs: well below a second, however many models there
 * are.
 */
const WORK_LIMIT = 2e8;
/** Cosine between separately trained models is near 0; models of one origin are far above this. */
const SEPARATE_COSINE = 0.2;

/** Distance and cosine of two models' sampled weights. */
export interface Resemblance {
  /** Indices into the list of checkpoints. */
  readonly pair: readonly [number, number];
  /** ‖a − b‖ over the sample. */
  readonly distance: number;
  /** Cosine of the weights themselves; null where one sample is all zeros. */
  readonly cosine: number | null;
}

/**
 * Checkpoints under the first one's tensor names, so that different layouts of one model can be
 * compared.
 */
function alignAll(checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  return checkpoints.map((checkpoint) => alignNames(checkpoint, checkpoints[0] as Checkpoint));
}

/**
 * True where all checkpoints have the same layers, width and matrices inside the stack, told from
 * headers. Embeddings may differ in rows.
 */
export function areCompatible(checkpoints: readonly Checkpoint[]): boolean {
  const [first, ...others] = alignAll(checkpoints);
  if (!first) return false;
  return others.every((other) => {
    const [a, b] = [first.config, other.config];
    if (a?.architecture && b?.architecture && a.architecture !== b.architecture) return false;
    if (a?.hiddenSize && b?.hiddenSize && a.hiddenSize !== b.hiddenSize) return false;
    if (countLayers(first) !== countLayers(other)) return false;
    let common = 0;
    for (const [name, { shape }] of first.tensors) {
      const theirs = other.tensors.get(name)?.shape;
      if (!theirs) continue;
      const from = countsTokens(name) ? 1 : 0;
      const same =
        theirs.length === shape.length && shape.every((axis, i) => i < from || axis === theirs[i]);
      if (!same) return false;
      common += 1;
    }
    return common * 2 > Math.max(first.tensors.size, other.tensors.size);
  });
}

/** A piece of a tensor that all models have. */
interface Piece {
  readonly tensor: string;
  readonly first: number;
  readonly count: number;
}

/**
 * Evenly spaced pieces of the matrices that all models have in the same shape. Vectors are left
 * out: norms lie near 1 in every model and would make unrelated models look alike.
 */
function choosePieces(checkpoints: readonly Checkpoint[]): readonly Piece[] {
  const [first, ...others] = checkpoints;
  const matrices = [...(first?.tensors.values() ?? [])].filter(
    ({ name, shape, dtype }) =>
      shape.length >= 2 &&
      ["gpu", "convert"].includes(mergeRole(dtype)) &&
      others.every(({ tensors }) => {
        const tensor = tensors.get(name);
        return (
          tensor?.shape.length === shape.length &&
          tensor.shape.every((axis, i) => axis === shape[i]) &&
          ["gpu", "convert"].includes(mergeRole(tensor.dtype))
        );
      }),
  );
  const elements = matrices.reduce((sum, { elementCount }) => sum + elementCount, 0);
  const pairs = (checkpoints.length * (checkpoints.length + 1)) / 2;
  const sample = Math.min(SAMPLE_BYTES / LARGEST_ELEMENT_BYTES, WORK_LIMIT / pairs);
  const count = Math.floor(sample / PIECES);
  const start = (piece: number) => Math.floor((piece * elements) / PIECES);
  const pieces: Piece[] = [];
  let before = 0;
  for (const { name, elementCount } of matrices) {
    // The p-th piece begins at p/PIECES of all elements and goes on over tensors that are shorter.
    for (let p = 0; p < PIECES; p++) {
      const from = Math.max(before, start(p));
      const end = Math.min(before + elementCount, start(p) + count, start(p + 1));
      if (end > from) pieces.push({ tensor: name, first: from - before, count: end - from });
    }
    before += elementCount;
  }
  return pieces;
}

async function readPiece(tensor: CheckpointTensor, { first, count }: Piece): Promise<Float32Array> {
  const bytes = bitsPerElement(tensor.dtype) / 8;
  return toF32(await readTensor(tensor, first * bytes, count * bytes), tensor.dtype);
}

/**
 * Compares every pair of models over one sample of at most 8 MiB a model. Empty where they have no
 * matrix in common.
 */
export async function compareSamples(
  checkpoints: readonly Checkpoint[],
): Promise<readonly Resemblance[]> {
  const aligned = alignAll(checkpoints);
  const pieces = choosePieces(aligned);
  if (pieces.length === 0) return [];
  const models = checkpoints.length;
  const products = Array.from({ length: models }, () => new Float64Array(models));
  const distances = Array.from({ length: models }, () => new Float64Array(models));
  for (const piece of pieces) {
    const values = await Promise.all(
      aligned.map(({ tensors }) => readPiece(tensors.get(piece.tensor)!, piece)),
    );
    for (let a = 0; a < models; a++) {
      for (let b = a; b < models; b++) {
        const [x, y] = [values[a]!, values[b]!];
        let product = 0;
        let distance = 0;
        for (let i = 0; i < x.length; i++) {
          product += x[i]! * y[i]!;
          distance += (x[i]! - y[i]!) ** 2;
        }
        products[a]![b]! += product;
        distances[a]![b]! += distance;
      }
    }
  }
  return checkpoints.flatMap((_, a) =>
    checkpoints.slice(a + 1).map((_, offset): Resemblance => {
      const b = a + 1 + offset;
      const cosine = products[a]![b]! / Math.sqrt(products[a]![a]! * products[b]![b]!);
      return {
        pair: [a, b],
        distance: Math.sqrt(distances[a]![b]!),
        cosine: Number.isFinite(cosine) ? cosine : null,
      };
    }),
  );
}

/**
 * Index of the model with the smallest mean distance to the others, the likeliest base; null for
 * fewer than two models or no common matrix. The first of equal ones.
 */
export function chooseBase(count: number, resemblances: readonly Resemblance[]): number | null {
  if (count < 2 || resemblances.length === 0) return null;
  const sums = Array.from({ length: count }, (_, m) =>
    resemblances.reduce((sum, { pair, distance }) => sum + (pair.includes(m) ? distance : 0), 0),
  );
  const known = sums.filter((sum) => Number.isFinite(sum));
  return known.length === 0 ? null : sums.indexOf(Math.min(...known));
}

/** Guesses which of the models the others were fine-tuned from, by reading a bounded sample. */
export async function guessBase(checkpoints: readonly Checkpoint[]): Promise<number | null> {
  return chooseBase(checkpoints.length, await compareSamples(checkpoints));
}

/** Warning for each pair of models with equal shapes and uncorrelated weights. */
export function findStrangers(
  checkpoints: readonly Checkpoint[],
  resemblances: readonly Resemblance[],
): readonly Finding[] {
  return resemblances.flatMap(({ pair: [a, b], cosine }) => {
    const [one, other] = [checkpoints[a], checkpoints[b]];
    if (!one || !other || cosine === null || cosine >= SEPARATE_COSINE) return [];
    return [
      {
        severity: "warning",
        code: "mismatch",
        message: `"${one.name}" and "${other.name}" look separately trained (the cosine of their weights is ${cosine.toFixed(3)}): weights of one do not fit into the other, and their merge will hardly work as a model.`,
        model: other.name,
      } satisfies Finding,
    ];
  });
}
