import type {
  LoadedLayer,
  LoadedNorm,
  LoadedProjection,
} from "../../runtime/decoder/layerWeights.ts";
import type { HeadView, LayerSpec } from "../../runtime/description/spec.ts";
import { activate, attend, normalise, rotate } from "../../runtime/kernels/kernels.ts";
import type { Rows } from "../../runtime/kernels/multiply.ts";
import { wholeQuads } from "./alignRows.ts";
import { type LowRank, project, type TrainPass } from "./pass.ts";
import { scaleValues } from "./rowKernels.ts";
import type { Part } from "./space.ts";

/** Where a layer is, what it is, and its weights. */
export interface TrainedLayer {
  readonly index: number;
  readonly spec: LayerSpec;
  readonly weights: LoadedLayer;
}

/** A layer's projections in order. */
export function projectionsOf({ qkv, attentionOut, mlpIn, mlpOut }: LoadedLayer) {
  return [...qkv, attentionOut, ...mlpIn, mlpOut];
}

/** Where a projection's adapter works, if it has one; `kept`: what its A gave is there already. */
export function lowRankOf(
  { adapters, space }: TrainPass,
  { weights, index }: TrainedLayer,
  { spec }: LoadedProjection,
  kept: boolean,
): LowRank | null {
  const adapter = adapters.get(spec.weight);
  if (!adapter) return null;
  const names = projectionsOf(weights).map((projection) => projection.spec.weight);
  const slot = names.filter((name) => adapters.has(name)).indexOf(spec.weight);
  return {
    low: space.low(index, slot * wholeQuads(adapter.rank)),
    dLow: space.rowsOf("dLow"),
    dropped: adapter.dropout > 0 ? space.rowsOf("dropped") : null,
    kept,
    first: 0,
  };
}

/**
 * What a layer is run for: the next layer's input, its own backward pass, or both. What attention
 * gathered is kept from the first run: of all there is it costs most to make for its size.
 */
export interface Wanted {
  readonly output: boolean;
  readonly backward: boolean;
}

/** A layer that runs once more: what was kept of it needs not be made again. */
interface LayerRun extends TrainedLayer {
  readonly again: boolean;
}

/** Records a layer from its input, which is kept, to what is wanted. */
export async function forwardLayer(
  pass: TrainPass,
  layer: TrainedLayer,
  wanted: Wanted,
): Promise<void> {
  const { space } = pass;
  const { weights, index } = layer;
  const { parallelResidual } = pass.spec;
  const run: LayerRun = { ...layer, again: !wanted.output };
  const [input, output] = [space.residual(index), space.residual(index + 1)];
  await norm(pass, weights.attentionNorm, input, space.rowsOf("normed"));
  await forwardHeads(pass, run);
  if (!run.again) await gather(pass, run);
  // Between the halves; side by side nothing reads it.
  const middle = wanted.backward && !parallelResidual ? space.rowsOf("middle") : output;
  if (!run.again || !parallelResidual) {
    await copy(pass, input, middle);
    await addBranch(pass, run, branchOf(pass, run, "attention"), middle);
  }
  await norm(pass, weights.mlpNorm, parallelResidual ? input : middle, space.rowsOf("mlpNormed"));
  await forwardMlp(pass, run);
  const branch = branchOf(pass, run, "mlp");
  if (!run.again) {
    if (middle !== output) await copy(pass, middle, output);
    return addBranch(pass, run, branch, output);
  }
  if (branch.postNorm) await projectBranch(pass, run, branch, space.rowsOf("made"));
}

/** The end of one of a layer's halves: what its last projection reads, and what follows it. */
export interface Branch {
  readonly from: Rows;
  /** What that projection gives, where a norm follows. */
  readonly through: "attended" | "made";
  readonly projection: LoadedProjection;
  readonly postNorm: LoadedNorm | null;
}

export function branchOf(
  { space }: TrainPass,
  { weights, index }: TrainedLayer,
  half: "attention" | "mlp",
): Branch {
  return half === "attention"
    ? {
        from: space.mixed(index),
        through: "attended",
        projection: weights.attentionOut,
        postNorm: weights.postAttentionNorm,
      }
    : {
        from: space.rowsOf("active"),
        through: "made",
        projection: weights.mlpOut,
        postNorm: weights.postMlpNorm,
      };
}

function copy({ recorder, rows }: TrainPass, from: Rows, to: Rows): Promise<void> {
  return scaleValues(recorder, from.buffer, to.buffer, { count: rows * from.stride, scale: 1 });
}

function norm({ recorder, spec, rows }: TrainPass, weights: LoadedNorm, x: Rows, y: Rows) {
  return normalise(recorder, spec.norm, weights, x, y, { rows, width: spec.hiddenSize });
}

/** normed → queries, keys and values. */
async function forwardHeads(pass: TrainPass, layer: LayerRun): Promise<void> {
  const { recorder, space, rows } = pass;
  const { attention } = pass.spec;
  const { weights } = layer;
  for (const projection of weights.qkv) await into(pass, layer, projection, "normed", "qkv");
  const { queryNorm, keyNorm } = weights;
  if (queryNorm && keyNorm) {
    await headNorm(pass, queryNorm, attention.query, attention.heads);
    await headNorm(pass, keyNorm, attention.key, attention.kvHeads);
  }
  await rotate(
    recorder,
    attention,
    {
      queries: space.buffer("queries"),
      keys: space.buffer("keys"),
      values: space.buffer("values"),
      turned: space.buffer(queryNorm && keyNorm ? "turned" : "qkv"),
      plain: space.buffer("qkv"),
      angles: attention.rope ? space.buffer("angles") : pass.ones.buffer,
    },
    { rows, start: 0 },
  );
}

/** What every head gathers from the positions it sees. */
function gather(pass: TrainPass, layer: TrainedLayer): Promise<void> {
  const { recorder, space, rows, kernels } = pass;
  return attend(
    recorder,
    pass.spec.attention,
    {
      queries: space.buffer("queries"),
      keys: space.buffer("keys"),
      values: space.buffer("values"),
      out: space.mixed(layer.index),
      logSums: space.logSums(layer.index),
      documents: space.buffer("documents"),
    },
    {
      rows,
      start: 0,
      window: layer.spec.window,
      scale: layer.spec.attentionScale,
      kernel: kernels.attention(rows),
    },
  );
}

/** qkv → turned, for the heads of queries or of keys. */
function headNorm(
  { recorder, spec, space, rows }: TrainPass,
  weights: LoadedNorm,
  view: HeadView,
  heads: number,
): Promise<void> {
  const at = (part: Part) => ({
    ...space.rowsOf(part, view.offset),
    groupStride: view.headStride,
  });
  const shape = { rows, width: spec.attention.headDim, groups: heads };
  return normalise(recorder, spec.norm, weights, at("qkv"), at("turned"), shape);
}

/** mlpNormed → active. */
async function forwardMlp(pass: TrainPass, layer: LayerRun): Promise<void> {
  const { recorder, space, rows } = pass;
  const { mlp } = pass.spec;
  for (const projection of layer.weights.mlpIn) {
    await into(pass, layer, projection, "mlpNormed", "wide");
  }
  const columns = { gate: mlp.gateOffset, up: mlp.upOffset, count: mlp.size };
  const [wide, active] = [space.rowsOf("wide"), space.rowsOf("active")];
  await activate(recorder, mlp.activation, wide, columns, active, rows);
}

function into(
  pass: TrainPass,
  layer: LayerRun,
  projection: LoadedProjection,
  from: Part,
  to: Part,
): Promise<void> {
  const { space, rows } = pass;
  const lowRank = lowRankOf(pass, layer, projection, layer.again);
  const out = space.rowsOf(to, projection.spec.column);
  const buffers = { x: space.rowsOf(from), out, lowRank };
  return project(pass, projection, buffers, { rows, accumulate: false });
}

/** out (+)= projection(from). */
function projectBranch(
  pass: TrainPass,
  layer: LayerRun,
  { from, projection }: Branch,
  out: Rows,
  accumulate = false,
): Promise<void> {
  const lowRank = lowRankOf(pass, layer, projection, layer.again);
  return project(pass, projection, { x: from, out, lowRank }, { rows: pass.rows, accumulate });
}

/** to += projection(from), through a norm where the architecture has one there. */
async function addBranch(
  pass: TrainPass,
  layer: LayerRun,
  branch: Branch,
  to: Rows,
): Promise<void> {
  const { recorder, spec, space, rows } = pass;
  if (!branch.postNorm) return projectBranch(pass, layer, branch, to, true);
  const through = space.rowsOf(branch.through);
  await projectBranch(pass, layer, branch, through);
  const shape = { rows, width: spec.hiddenSize, accumulate: true };
  await normalise(recorder, spec.norm, branch.postNorm, through, to, shape);
}
