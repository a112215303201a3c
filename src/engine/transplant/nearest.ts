import { dot, type PickedRows } from "./pickedRows.ts";
import type { Combination } from "./pursuit.ts";

/** Points beyond those that are asked for, among which exact distances decide. */
const SPARE = 16;
/** Least distance and least sum of weights, as in mergekit 0.1.5. */
const LEAST = 1e-6;

/** Squares of the norms of all points. */
export async function squaredNorms(points: PickedRows): Promise<Float64Array> {
  const squares = new Float64Array(points.ids.length);
  const PIECE = 1024;
  for (let first = 0; first < squares.length; first += PIECE) {
    const count = Math.min(PIECE, squares.length - first);
    const rows = await points.read(Array.from({ length: count }, (_, i) => first + i));
    for (const [place, row] of rows) squares[place] = dot(row, row);
  }
  return squares;
}

/**
 * Each target as the mean of its k nearest points, weighted by the inverse of their distances, or by
 * the cosines of the angles: the first by their float32 products, the order of the last by distances
 * in float64.
 */
export async function interpolate(
  targets: readonly Float32Array[],
  points: PickedRows,
  squares: Float64Array,
  {
    k,
    cosine,
    products,
  }: {
    readonly k: number;
    readonly cosine: boolean;
    readonly products: readonly Float32Array[];
  },
): Promise<readonly Combination[]> {
  const combinations: Combination[] = [];
  for (const [i, target] of targets.entries()) {
    const energy = dot(target, target);
    const closeness = (place: number, product: number) =>
      cosine
        ? product / Math.max(Math.sqrt(energy * squares[place]!), LEAST)
        : 2 * product - squares[place]!;
    const rough = Float64Array.from(products[i]!, (product, place) => closeness(place, product));
    const nearest = largestPlaces(rough, Math.min(rough.length, k + SPARE));
    const rows = await points.read(nearest);
    const exact = nearest.map((place) => {
      const row = rows.get(place)!;
      return { place, close: cosine ? closeness(place, dot(target, row)) : -distance(target, row) };
    });
    const kept = exact.sort((a, b) => b.close - a.close || a.place - b.place).slice(0, k);
    const weights = kept.map(({ close }) => (cosine ? close : 1 / Math.max(-close, LEAST)));
    const sum = Math.max(
      weights.reduce((total, weight) => total + weight, 0),
      LEAST,
    );
    combinations.push({
      places: kept.map(({ place }) => place),
      weights: weights.map((weight) => weight / sum),
    });
  }
  return combinations;
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

/** Places of the `count` largest values: a heap of them, whose least is first. */
function largestPlaces(values: Float64Array, count: number): number[] {
  const heap: number[] = [];
  const sink = (start: number) => {
    for (let at = start; ; ) {
      const left = 2 * at + 1;
      let least = at;
      for (const child of [left, left + 1]) {
        if (child < heap.length && values[heap[child]!]! < values[heap[least]!]!) least = child;
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  };
  for (let place = 0; place < values.length; place++) {
    if (heap.length < count) {
      heap.push(place);
      if (heap.length === count) for (let at = count >> 1; at >= 0; at--) sink(at);
    } else if (values[place]! > values[heap[0]!]!) {
      heap[0] = place;
      sink(0);
    }
  }
  return heap;
}
