import { forwardLayer, type LayerBuffers, type LayerPass } from "../../runtime/decoder/layer.ts";
import type { LoadedProjection, LoadedWeights } from "../../runtime/decoder/loadedWeights.ts";
import type { LayerSpec } from "../../runtime/description/spec.ts";
import { layerProjections } from "../../runtime/description/tensors.ts";
import { wholeQuads } from "./alignRows.ts";
import { type LowRank, project, type TrainPass } from "./pass.ts";

/** A layer with its index, description and weights. */
export interface TrainedLayer {
  readonly index: number;
  readonly spec: LayerSpec;
  readonly weights: LoadedWeights;
}

/** Buffers of a projection's adapter, if it has one; `kept`: A's output is already computed. */
export function lowRankOf(
  { adapters, space }: TrainPass,
  { spec, index }: TrainedLayer,
  { weight }: LoadedProjection["spec"],
  kept: boolean,
): LowRank | null {
  const adapter = adapters.get(weight);
  if (!adapter) return null;
  const adapted = layerProjections(spec).filter((each) => adapters.has(each.weight));
  const slot = adapted.findIndex((each) => each.weight === weight);
  return {
    low: space.low(index, slot * wholeQuads(adapter.rank)),
    dLow: space.rowsOf("dLow"),
    dropped: adapter.dropout > 0 ? space.rowsOf("dropped") : null,
    kept,
    first: 0,
  };
}

/**
 * Purpose of a layer's forward pass: the next layer's input, its own backward pass, or both.
 * Attention's output is kept from the first pass: it is the most expensive to recompute for its
 * size.
 */
export interface Wanted {
  readonly output: boolean;
  readonly backward: boolean;
}

/** Buffers of a layer in training. */
export function buffersOf(
  { space, spec }: TrainPass,
  { index, spec: layer }: TrainedLayer,
  wanted: Wanted,
): LayerBuffers {
  const { attention, mlp } = layer;
  const output = space.residual(index + 1);
  // In a parallel residual nothing reads the residual between the halves.
  const keepsMiddle = wanted.backward && !spec.parallelResidual;
  return {
    input: space.residual(index),
    middle: keepsMiddle ? space.rowsOf("middle") : output,
    output: wanted.output ? output : null,
    normed: space.rowsOf("normed"),
    mlpNormed: space.rowsOf("mlpNormed"),
    qkv: space.rowsOf("qkv", attention.rowStride),
    turned: layer.queryNorm && space.rowsOf("turned", attention.rowStride),
    queries: space.buffer("queries"),
    keys: space.buffer("keys"),
    values: space.buffer("values"),
    angles: space.angles.of(attention.rope),
    documents: space.buffer("documents"),
    mixed: space.mixed(index),
    logSums: space.logSums(index),
    wide: space.rowsOf("wide", mlp.rowStride),
    active: space.rowsOf("active"),
    attended: layer.postAttentionNorm && space.rowsOf("attended"),
    made: layer.postMlpNorm && space.rowsOf("made"),
  };
}

/** Records a layer's forward pass from its kept input. */
export function forwardTrained(
  pass: TrainPass,
  layer: TrainedLayer,
  wanted: Wanted,
): Promise<void> {
  const { recorder, spec, kernels, rows } = pass;
  const layerPass: LayerPass = {
    recorder,
    spec,
    kernels,
    span: { start: 0, rows },
    project(projection, x, out, accumulate) {
      const lowRank = lowRankOf(pass, layer, projection.spec, !wanted.output);
      return project(pass, projection, { x, out, lowRank }, { rows, accumulate });
    },
  };
  return forwardLayer(layerPass, layer.spec, layer.weights, buffersOf(pass, layer, wanted));
}
