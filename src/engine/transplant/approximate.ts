import type { CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { EngineError, type TransplantSettings } from "../contract/index.ts";
import type { Gpu } from "../gpu/device.ts";
import { ResourceScope } from "../gpu/resourceScope.ts";
import { Recorder } from "../runtime/kernels/recorder.ts";
import type { TextTokenizer } from "../text/tokenizers/tokenizer.ts";
import { InnerProducts } from "./innerProducts.ts";
import type { TokenMatch } from "./matchTokens.ts";
import { interpolate, squaredNorms } from "./nearest.ts";
import { PickedRows } from "./pickedRows.ts";
import { type Combination, pursue } from "./pursuit.ts";
import { meanRow, subwordRows } from "./subword.ts";

/** Tokens whose rows are made at once. */
export const BATCH_TOKENS = 256;

/** An embedding or head of the model, and the donor's in the same place. */
export interface TokenMatrix {
  readonly own: CheckpointTensor;
  readonly donor: CheckpointTensor;
  readonly isHead: boolean;
  readonly match: TokenMatch;
}

/** Maker of the rows of one matrix's new tokens. */
export interface Approximation {
  /** Rows of the new tokens [first, first + count), in the model's width. */
  rows(first: number, count: number): Promise<readonly Float32Array[]>;
  release(): void;
}

interface Needs {
  readonly settings: TransplantSettings;
  /** The model's tokenizer, for subwords. */
  tokenizer(): Promise<TextTokenizer>;
  gpu(): Promise<Gpu>;
}

/**
 * Opens the way in which a setting makes rows. `mismatch` where the two have no token in common and
 * rows are combinations of common ones.
 */
export async function openApproximation(matrix: TokenMatrix, needs: Needs): Promise<Approximation> {
  const { own, isHead, match } = matrix;
  const { settings } = needs;
  const release = () => undefined;
  if (settings.method === "zero" || settings.method === "mean") {
    const width = own.elementCount / Math.max(1, own.shape[0]!);
    const row = settings.method === "zero" ? new Float32Array(width) : await meanRow(own);
    return { rows: async (_, count) => Array.from({ length: count }, () => row), release };
  }
  if (settings.method === "subword") {
    const tokenizer = await needs.tokenizer();
    const rows = (first: number, count: number) =>
      subwordRows(own, match.texts.slice(first, first + count), tokenizer, {
        method: settings.subword,
        isHead,
      });
    return { rows, release };
  }
  if (match.shared.own.length === 0) {
    throw new EngineError(
      "mismatch",
      `The tokenizers have no token in common, of which "${own.name}" could make the others: take the method subword, mean or zero.`,
      { tensor: own.name },
    );
  }
  return combineShared(matrix, settings, await needs.gpu());
}

/** Rows as combinations of the tokens that both have: found among the donor's, made of the model's. */
function combineShared(
  { own, donor, match }: TokenMatrix,
  { method, k: most, cosine }: TransplantSettings,
  gpu: Gpu,
): Approximation {
  const points = new PickedRows(donor, match.shared.donor);
  const replaced = new PickedRows(own, match.shared.own);
  const wanted = new PickedRows(donor, match.added);
  const k = Math.min(most, match.shared.own.length);
  const scope = new ResourceScope();
  const recorder = new Recorder(gpu);
  scope.keep(recorder);
  try {
    const products = new InnerProducts(gpu, recorder, points, {
      most: BATCH_TOKENS,
      places: k,
      scope,
    });
    let squares: Promise<Float64Array> | null = null;
    const combine = async (targets: readonly Float32Array[]) => {
      if (method === "omp") {
        return pursue(targets, points, k, (left, taken) => products.largest(left, taken));
      }
      squares ??= squaredNorms(points);
      const found = { k, cosine, products: await products.all(targets) };
      return interpolate(targets, points, await squares, found);
    };
    const rows = async (first: number, count: number) => {
      const places = Array.from({ length: count }, (_, i) => first + i);
      const read = await wanted.read(places);
      const found = await combine(places.map((place) => read.get(place)!));
      return weigh(found, replaced);
    };
    return { rows, release: () => scope.release() };
  } catch (error) {
    scope.release();
    throw error;
  }
}

/** Combinations of a model's rows, summed up in float64. */
async function weigh(
  combinations: readonly Combination[],
  rows: PickedRows,
): Promise<readonly Float32Array[]> {
  const all: Float32Array[] = [];
  for (const { places, weights } of combinations) {
    const sum = new Float64Array(rows.length);
    const read = await rows.read(places);
    for (const [i, place] of places.entries()) {
      const row = read.get(place)!;
      for (let at = 0; at < sum.length; at++) sum[at] = sum[at]! + weights[i]! * row[at]!;
    }
    all.push(Float32Array.from(sum));
  }
  return all;
}
