import { invariant } from "../../core/invariant.ts";
import type { AttentionSpec, DecoderSpec, HeadView, LayerSpec } from "../description/spec.ts";
import {
  type Angles,
  type AttentionKernel,
  activate,
  attend,
  normalise,
  rotate,
} from "../kernels/kernels.ts";
import type { MatmulChoice } from "../kernels/matmulKernels.ts";
import type { Rows } from "../kernels/multiply.ts";
import type { Recorder } from "../kernels/recorder.ts";
import { scaleValues } from "../kernels/scale.ts";
import type { LoadedNorm, LoadedProjection, LoadedWeights } from "./loadedWeights.ts";

/** Kernels by shape. */
export interface Kernels {
  readonly matmul: MatmulChoice;
  attention(spec: AttentionSpec, rows: number): AttentionKernel;
}

/** Tokens of a pass: `rows` of them, from position `start` on. */
export interface Span {
  readonly start: number;
  readonly rows: number;
}

/** Parts that a layer's forward pass needs, in inference or in training with adapters. */
export interface LayerPass {
  readonly recorder: Recorder;
  readonly spec: DecoderSpec;
  readonly span: Span;
  readonly kernels: Kernels;
  /** out (+)= projection(x). */
  project(projection: LoadedProjection, x: Rows, out: Rows, accumulate: boolean): Promise<void>;
}

/**
 * Buffers of a layer. In inference input, middle and output are one residual; training keeps each
 * for the backward pass.
 */
export interface LayerBuffers {
  readonly input: Rows;
  /** Residual between attention and MLP. */
  readonly middle: Rows;
  /**
   * Input of the next layer. Null: the layer is recomputed for its backward pass, with the kept
   * output of attention (`mixed`, `logSums`).
   */
  readonly output: Rows | null;
  readonly normed: Rows;
  readonly mlpNormed: Rows;
  readonly qkv: Rows;
  /** Queries and keys after the head norms; null where there are none. */
  readonly turned: Rows | null;
  readonly queries: GPUBuffer;
  readonly keys: GPUBuffer;
  readonly values: GPUBuffer;
  readonly angles: Angles;
  /** Start of each row's document; absent: all start at 0. */
  readonly documents?: GPUBuffer;
  readonly mixed: Rows;
  readonly logSums: GPUBuffer;
  readonly wide: Rows;
  readonly active: Rows;
  /** Output of attention and of the MLP before their post-norm; null where there is none. */
  readonly attended: Rows | null;
  readonly made: Rows | null;
}

/**
 * Records a layer of a decoder, from its input to its output:
 * x + post(attention(norm(x))), then + post(mlp(norm(of that))), or, with a parallel residual,
 * x + attention(norm(x)) + mlp(norm(x)).
 */
export async function forwardLayer(
  pass: LayerPass,
  layer: LayerSpec,
  weights: LoadedWeights,
  at: LayerBuffers,
): Promise<void> {
  const { parallelResidual } = pass.spec;
  const { input, middle, output } = at;
  const mlpNorm = weights.norm(layer.mlpNorm);
  await norm(pass, weights.norm(layer.attentionNorm), input, at.normed);
  await makeHeads(pass, layer, weights, at);
  if (output) await gather(pass, layer, at);
  // Before attention's output is added, since input and middle may be one buffer.
  if (parallelResidual) await norm(pass, mlpNorm, input, at.mlpNormed);
  const attention = attentionBranch(layer, weights, at);
  if (output || !parallelResidual) {
    await copy(pass, input, middle);
    await addBranch(pass, attention, middle);
  }
  if (!parallelResidual) await norm(pass, mlpNorm, middle, at.mlpNormed);
  await makeMlp(pass, layer, weights, at);
  const mlp = mlpBranch(layer, weights, at);
  if (output) {
    await copy(pass, middle, output);
    await addBranch(pass, mlp, output);
  } else if (mlp.through) {
    await pass.project(mlp.projection, mlp.from, mlp.through, false);
  }
}

/** End of attention or of the MLP: the last projection's input, and the post-norm, if any. */
export interface Branch {
  readonly from: Rows;
  readonly projection: LoadedProjection;
  readonly postNorm: LoadedNorm | null;
  /** Output of the projection, where a norm follows. */
  readonly through: Rows | null;
}

export function attentionBranch(
  { attentionOut, postAttentionNorm }: LayerSpec,
  weights: LoadedWeights,
  { mixed, attended }: LayerBuffers,
): Branch {
  return {
    from: mixed,
    projection: weights.projection(attentionOut),
    postNorm: postAttentionNorm && weights.norm(postAttentionNorm),
    through: postAttentionNorm && attended,
  };
}

export function mlpBranch(
  { mlpOut, postMlpNorm }: LayerSpec,
  weights: LoadedWeights,
  { active, made }: LayerBuffers,
): Branch {
  return {
    from: active,
    projection: weights.projection(mlpOut),
    postNorm: postMlpNorm && weights.norm(postMlpNorm),
    through: postMlpNorm && made,
  };
}

/** residual += projection(from), with the architecture's post-norm in between. */
async function addBranch(pass: LayerPass, branch: Branch, residual: Rows): Promise<void> {
  const { recorder, spec, span } = pass;
  const { from, projection, postNorm, through } = branch;
  if (!postNorm) return pass.project(projection, from, residual, true);
  invariant(through, "a norm after a branch has rows to read");
  await pass.project(projection, from, through, false);
  const shape = { rows: span.rows, width: spec.hiddenSize, accumulate: true };
  await normalise(recorder, spec.norm, postNorm, through, residual, shape);
}

function norm(
  { recorder, spec, span }: LayerPass,
  weights: LoadedNorm,
  x: Rows,
  y: Rows,
): Promise<void> {
  const shape = { rows: span.rows, width: spec.hiddenSize };
  return normalise(recorder, spec.norm, weights, x, y, shape);
}

async function copy({ recorder, span }: LayerPass, from: Rows, to: Rows): Promise<void> {
  if (from.buffer === to.buffer) return;
  const count = span.rows * from.stride;
  await scaleValues(recorder, from.buffer, to.buffer, { count, scale: 1 });
}

/** normed → queries, keys and values, rotated by their positions. */
async function makeHeads(
  pass: LayerPass,
  layer: LayerSpec,
  weights: LoadedWeights,
  at: LayerBuffers,
): Promise<void> {
  const { attention, queryNorm, keyNorm } = layer;
  for (const projection of layer.qkv) {
    const out = { ...at.qkv, offset: at.qkv.offset + projection.column };
    await pass.project(weights.projection(projection), at.normed, out, false);
  }
  const { heads, kvHeads, query, key } = attention;
  if (queryNorm) await normHeads(pass, attention, weights.norm(queryNorm), at, query, heads);
  if (keyNorm) await normHeads(pass, attention, weights.norm(keyNorm), at, key, kvHeads);
  const { queries, keys, values, angles } = at;
  const turned = queryNorm && keyNorm ? at.turned : at.qkv;
  invariant(turned, "normed heads have rows of their own");
  const plain = at.qkv.buffer;
  const buffers = { turned: turned.buffer, plain, angles, queries, keys, values };
  await rotate(pass.recorder, attention, buffers, pass.span);
}

/** qkv → normed heads of queries or of keys. */
function normHeads(
  { recorder, spec, span }: LayerPass,
  { headDim }: AttentionSpec,
  weights: LoadedNorm,
  { qkv, turned }: LayerBuffers,
  view: HeadView,
  heads: number,
): Promise<void> {
  invariant(turned, "normed heads have rows of their own");
  const at = (rows: Rows) => headsOf(rows, view);
  const shape = { rows: span.rows, width: headDim, groups: heads };
  return normalise(recorder, spec.norm, weights, at(qkv), at(turned), shape);
}

/** Heads of queries or of keys within rows. */
export function headsOf(rows: Rows, { offset, headStride }: HeadView) {
  return { ...rows, offset: rows.offset + offset, groupStride: headStride };
}

/** Attention over the positions that each head sees. */
function gather(pass: LayerPass, { attention }: LayerSpec, at: LayerBuffers): Promise<void> {
  const { queries, keys, values, logSums, documents } = at;
  const buffers = { queries, keys, values, logSums, out: at.mixed };
  const kernel = pass.kernels.attention(attention, pass.span.rows);
  const all = documents ? { ...buffers, documents } : buffers;
  return attend(pass.recorder, attention, all, { ...pass.span, kernel });
}

/** mlpNormed → active. */
async function makeMlp(
  pass: LayerPass,
  { mlp, mlpIn }: LayerSpec,
  weights: LoadedWeights,
  at: LayerBuffers,
): Promise<void> {
  for (const projection of mlpIn) {
    const out = { ...at.wide, offset: at.wide.offset + projection.column };
    await pass.project(weights.projection(projection), at.mlpNormed, out, false);
  }
  const columns = { gate: mlp.gateOffset, up: mlp.upOffset, count: mlp.size };
  await activate(pass.recorder, mlp.activation, at.wide, columns, at.active, pass.span.rows);
}
