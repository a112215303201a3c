import type { DecoderSpec, LayerSpec } from "../description/spec.ts";
import { type AttentionKernel, activate, attend, normalise, rotate } from "../kernels/kernels.ts";
import type { MatmulChoice } from "../kernels/matmulKernels.ts";
import { multiply } from "../kernels/multiply.ts";
import type { Recorder } from "../kernels/recorder.ts";
import type { KeyValues } from "./cache.ts";
import type { LoadedLayer, LoadedNorm, LoadedProjection } from "./layerWeights.ts";
import type { Workspace } from "./workspace.ts";

/** Which kernel runs for which shape. */
export interface Kernels {
  readonly matmul: MatmulChoice;
  attention(rows: number): AttentionKernel;
}

/** The tokens a pass reads: `rows` of them from position `start` on. */
export interface Span {
  readonly start: number;
  readonly rows: number;
}

interface Pass {
  readonly recorder: Recorder;
  readonly spec: DecoderSpec;
  readonly space: Workspace;
  readonly span: Span;
  readonly kernels: Kernels;
}

/** Records one layer: residual → residual, with keys and values into the cache. */
export async function runLayer(
  pass: Pass,
  layer: LayerSpec,
  weights: LoadedLayer,
  cache: KeyValues,
): Promise<void> {
  await norm(pass, weights.attentionNorm);
  await recordAttention(pass, layer, weights, cache);
  if (pass.spec.parallelResidual) {
    // The MLP reads the residual as it was before attention: take its norm first.
    await norm(pass, weights.mlpNorm);
    await addBranch(pass, "mixed", weights.attentionOut, weights.postAttentionNorm);
  } else {
    await addBranch(pass, "mixed", weights.attentionOut, weights.postAttentionNorm);
    await norm(pass, weights.mlpNorm);
  }
  await recordMlp(pass, weights);
  await addBranch(pass, "active", weights.mlpOut, weights.postMlpNorm);
}

/** residual → normed. */
function norm({ recorder, spec, space, span }: Pass, weights: LoadedNorm): Promise<void> {
  const shape = { rows: span.rows, width: spec.hiddenSize };
  const [x, y] = [space.rowsOf("residual"), space.rowsOf("normed")];
  return normalise(recorder, spec.norm, weights, x, y, shape);
}

/** normed → mixed: what every head gathers from the positions it sees. */
async function recordAttention(
  pass: Pass,
  layer: LayerSpec,
  weights: LoadedLayer,
  { keys, values }: KeyValues,
): Promise<void> {
  const { recorder, space, span, kernels } = pass;
  const { attention } = pass.spec;
  for (const projection of weights.qkv) await project(pass, "normed", projection, "qkv");
  const headNorms = weights.queryNorm && weights.keyNorm;
  if (headNorms) {
    await headNorm(pass, weights.queryNorm, attention.query, attention.heads);
    await headNorm(pass, weights.keyNorm, attention.key, attention.kvHeads);
  }
  const queries = space.buffer("queries");
  await rotate(
    recorder,
    attention,
    {
      turned: space.buffer(headNorms ? "turned" : "qkv"),
      plain: space.buffer("qkv"),
      angles: space.buffer("angles"),
      queries,
      keys,
      values,
    },
    span,
  );
  const out = space.rowsOf("mixed");
  await attend(
    recorder,
    attention,
    { queries, keys, values, out, logSums: space.buffer("logSums") },
    {
      ...span,
      window: layer.window,
      scale: layer.attentionScale,
      kernel: kernels.attention(span.rows),
    },
  );
}

/** qkv → turned, for the heads of queries or of keys. */
function headNorm(
  { recorder, spec, space, span }: Pass,
  weights: LoadedNorm,
  view: { readonly offset: number; readonly headStride: number },
  heads: number,
): Promise<void> {
  const x = { ...space.rowsOf("qkv", 0, view.offset), groupStride: view.headStride };
  const y = { ...space.rowsOf("turned", 0, view.offset), groupStride: view.headStride };
  const shape = { rows: span.rows, width: spec.attention.headDim, groups: heads };
  return normalise(recorder, spec.norm, weights, x, y, shape);
}

/** normed → active. */
async function recordMlp(pass: Pass, { mlpIn }: LoadedLayer): Promise<void> {
  const { recorder, space, span } = pass;
  const { mlp } = pass.spec;
  for (const projection of mlpIn) await project(pass, "normed", projection, "wide");
  await activate(
    recorder,
    mlp.activation,
    space.rowsOf("wide"),
    { gate: mlp.gateOffset, up: mlp.upOffset, count: mlp.size },
    space.rowsOf("active"),
    span.rows,
  );
}

function project(
  { recorder, space, span, kernels }: Pass,
  from: "normed" | "mixed" | "active",
  { spec, matrix, bias }: LoadedProjection,
  to: "qkv" | "wide" | "branch" | "residual",
): Promise<void> {
  const { layout, inputs, outputs } = spec;
  const { rows } = span;
  const kernel = kernels.matmul({ rows, inputs, outputs, layout, format: matrix.format });
  return multiply(recorder, space.rowsOf(from), matrix, space.rowsOf(to, 0, spec.column), {
    rows,
    layout,
    bias,
    kernel,
    accumulate: to === "residual",
  });
}

/** residual += projection(from), through a norm where the architecture has one there. */
async function addBranch(
  pass: Pass,
  from: "mixed" | "active",
  projection: LoadedProjection,
  postNorm: LoadedNorm | null,
): Promise<void> {
  if (!postNorm) return project(pass, from, projection, "residual");
  const { recorder, spec, space, span } = pass;
  await project(pass, from, projection, "branch");
  const shape = { rows: span.rows, width: spec.hiddenSize, accumulate: true };
  const [x, y] = [space.rowsOf("branch"), space.rowsOf("residual")];
  await normalise(recorder, spec.norm, postNorm, x, y, shape);
}
