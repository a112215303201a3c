import { invariant } from "../../core/invariant.ts";
import {
  attentionBranch,
  type Branch,
  headsOf,
  type LayerBuffers,
  mlpBranch,
} from "../../runtime/decoder/layer.ts";
import type { LoadedNorm } from "../../runtime/decoder/loadedWeights.ts";
import type { HeadView, Projection } from "../../runtime/description/spec.ts";
import type { Rows } from "../../runtime/kernels/multiply.ts";
import { wholeQuads } from "./alignRows.ts";
import {
  activateBackward,
  attendBackward,
  normaliseBackward,
  scaleByNormed,
  unrotate,
} from "./kernels.ts";
import { addColumns, projectBackward, type TrainPass } from "./pass.ts";
import type { HeadPart, Part } from "./space.ts";
import { buffersOf, lowRankOf, type TrainedLayer } from "./trainedLayer.ts";

/**
 * Records a layer backwards: dResidual is the gradient of its output and becomes that of its input;
 * what the layer trains gets its gradients. Reads what `forwardTrained` left. `lowest`: neither its
 * first norm nor anything below is trained, so the input's gradient is not made.
 */
export async function backwardLayer(
  pass: TrainPass,
  layer: TrainedLayer,
  { lowest }: { readonly lowest: boolean },
): Promise<void> {
  const { space } = pass;
  const { weights, spec } = layer;
  const { parallelResidual } = pass.spec;
  const at = buffersOf(pass, layer, { output: false, backward: true });
  const mlpNorm = weights.norm(spec.mlpNorm);
  const x = parallelResidual ? at.input : at.middle;
  const dMlpNormed = space.rowsOf(parallelResidual ? "dMlpNormed" : "dNormed");
  await mlpBackward(pass, layer, at, dMlpNormed);
  // In a parallel residual both branches need the output's gradient, so neither may change it yet.
  if (!parallelResidual) await normBackward(pass, mlpNorm, { x, dy: dMlpNormed });
  const dNormed = space.rowsOf("dNormed");
  await attentionBackward(pass, layer, at, lowest ? null : dNormed);
  if (parallelResidual) await normBackward(pass, mlpNorm, { x, dy: dMlpNormed });
  if (lowest) return;
  await normBackward(pass, weights.norm(spec.attentionNorm), { x: at.input, dy: dNormed });
}

/** dResidual += the gradient of a norm's input; the norm's own gradients. */
async function normBackward(
  pass: TrainPass,
  norm: LoadedNorm,
  { x, dy }: { readonly x: Rows; readonly dy: Rows },
): Promise<void> {
  const { recorder, spec, space, rows } = pass;
  const shape = { rows, width: spec.hiddenSize };
  await addNormGradients(pass, norm, { x, dy, scaled: "scaled" }, shape);
  const buffers = { x, dy, weight: norm.weight, dx: space.rowsOf("dResidual") };
  await normaliseBackward(recorder, spec.norm, buffers, { ...shape, accumulate: true });
}

/** Adds to the gradients of a norm's weight and bias, where it is trained. */
export async function addNormGradients(
  pass: TrainPass,
  norm: LoadedNorm,
  buffers: {
    readonly x: Rows & { readonly groupStride?: number };
    readonly dy: Rows & { readonly groupStride?: number };
    readonly scaled: Part | HeadPart;
  },
  shape: { readonly rows: number; readonly width: number; readonly groups?: number },
): Promise<void> {
  if (!pass.gradients.has(norm.weight)) return;
  const { recorder, spec, space } = pass;
  const { rows, width, groups = 1 } = shape;
  const quads = wholeQuads(width);
  // One row of sums per head.
  const scaled = { buffer: space.buffer(buffers.scaled), stride: quads, offset: 0 };
  const out = { ...scaled, stride: groups * quads, groupStride: quads };
  await scaleByNormed(recorder, spec.norm, { ...buffers, weight: norm.weight, out }, shape);
  await addColumns(pass, norm.weight, scaled, { rows: rows * groups, columns: width });
  await addColumns(pass, norm.bias, buffers.dy, { rows, columns: width });
}

/** dResidual → dx, the gradient of the input of a branch's last projection. */
async function branchBackward(
  pass: TrainPass,
  layer: TrainedLayer,
  branch: Branch,
  dx: Rows,
): Promise<void> {
  const { recorder, spec, space, rows } = pass;
  const { projection, postNorm, through: x } = branch;
  let dy = space.rowsOf("dResidual");
  if (postNorm) {
    invariant(x, "what a norm read was kept");
    const shape = { rows, width: spec.hiddenSize };
    await addNormGradients(pass, postNorm, { x, dy, scaled: "scaled" }, shape);
    const dBranch = space.rowsOf("dBranch");
    const buffers = { x, dy, weight: postNorm.weight, dx: dBranch };
    await normaliseBackward(recorder, spec.norm, buffers, { ...shape, accumulate: false });
    dy = dBranch;
  }
  const lowRank = lowRankOf(pass, layer, projection.spec, true);
  await projectBackward(
    pass,
    projection,
    { x: branch.from, dy, dx, lowRank },
    { rows, accumulate: false },
  );
}

/** dResidual → dMlpNormed. */
async function mlpBackward(
  pass: TrainPass,
  layer: TrainedLayer,
  at: LayerBuffers,
  dNormed: Rows,
): Promise<void> {
  const { recorder, space, rows } = pass;
  const { mlp, mlpIn } = layer.spec;
  const dActive = space.rowsOf("dActive");
  const dWide = space.rowsOf("dWide", mlp.rowStride);
  await branchBackward(pass, layer, mlpBranch(layer.spec, layer.weights, at), dActive);
  await activateBackward(
    recorder,
    mlp.activation,
    { x: at.wide, dy: dActive, dx: dWide },
    { gate: mlp.gateOffset, up: mlp.upOffset, count: mlp.size },
    rows,
  );
  await inputsBackward(pass, layer, mlpIn, { x: at.mlpNormed, dy: dWide, dx: dNormed });
}

/** Backward pass of projections with a common input: their input gradients add up. */
async function inputsBackward(
  pass: TrainPass,
  layer: TrainedLayer,
  projections: readonly Projection[],
  { x, dy, dx }: { readonly x: Rows; readonly dy: Rows; readonly dx: Rows | null },
): Promise<void> {
  const { rows } = pass;
  for (const [i, projection] of projections.entries()) {
    const buffers = {
      x,
      dy: { ...dy, offset: projection.column },
      dx,
      lowRank: lowRankOf(pass, layer, projection, true),
    };
    const loaded = layer.weights.projection(projection);
    await projectBackward(pass, loaded, buffers, { rows, accumulate: i > 0 });
  }
}

/** dResidual → dNormed, where it is needed. */
async function attentionBackward(
  pass: TrainPass,
  layer: TrainedLayer,
  at: LayerBuffers,
  dNormed: Rows | null,
): Promise<void> {
  const { recorder, space, rows } = pass;
  const { weights, spec } = layer;
  const dMixed = space.rowsOf("dMixed");
  await branchBackward(pass, layer, attentionBranch(spec, weights, at), dMixed);
  const buffer = (part: Part) => space.buffer(part);
  await attendBackward(
    recorder,
    spec.attention,
    {
      queries: at.queries,
      keys: at.keys,
      values: at.values,
      logSums: at.logSums,
      documents: buffer("documents"),
      out: at.mixed,
      dOut: dMixed,
      paddedOut: buffer("paddedOut"),
      sums: buffer("sums"),
      dQueries: buffer("dQueries"),
      dKeys: buffer("dKeys"),
      dValues: buffer("dValues"),
    },
    rows,
  );
  const dQkv = space.rowsOf("dQkv", spec.attention.rowStride);
  await headsBackward(pass, layer, at, dQkv);
  await inputsBackward(pass, layer, spec.qkv, { x: at.normed, dy: dQkv, dx: dNormed });
}

/** dQueries, dKeys, dValues → dQkv, through the rotation and the head norms. */
async function headsBackward(
  pass: TrainPass,
  { weights, spec }: TrainedLayer,
  at: LayerBuffers,
  dQkv: Rows,
): Promise<void> {
  const { recorder, space, rows } = pass;
  const { attention, queryNorm, keyNorm } = spec;
  const buffer = (part: Part) => space.buffer(part);
  const from = {
    dQueries: buffer("dQueries"),
    dKeys: buffer("dKeys"),
    dValues: buffer("dValues"),
    angles: at.angles,
  };
  const out = { ...from, out: dQkv.buffer };
  if (!queryNorm || !keyNorm) return unrotate(recorder, attention, out, { rows, which: "all" });
  const dTurned = space.rowsOf("dTurned", attention.rowStride);
  const turned = { ...from, out: dTurned.buffer };
  await unrotate(recorder, attention, turned, { rows, which: "queries and keys" });
  await unrotate(recorder, attention, out, { rows, which: "values" });
  const { heads, kvHeads, headDim, query, key } = attention;
  const rowsOfHeads = { x: at.qkv, dy: dTurned, dx: dQkv };
  const queries = { rows, width: headDim, groups: heads };
  await headNormBackward(pass, weights.norm(queryNorm), query, rowsOfHeads, queries);
  const keys = { rows, width: headDim, groups: kvHeads };
  await headNormBackward(pass, weights.norm(keyNorm), key, rowsOfHeads, keys);
}

/** dTurned → dQkv, for the heads of queries or of keys. */
async function headNormBackward(
  pass: TrainPass,
  norm: LoadedNorm,
  view: HeadView,
  at: { readonly x: Rows; readonly dy: Rows; readonly dx: Rows },
  shape: { readonly rows: number; readonly width: number; readonly groups: number },
): Promise<void> {
  const [x, dy, dx] = [headsOf(at.x, view), headsOf(at.dy, view), headsOf(at.dx, view)];
  await addNormGradients(pass, norm, { x, dy, scaled: "scaled" }, shape);
  const buffers = { x, dy, weight: norm.weight, dx };
  await normaliseBackward(pass.recorder, pass.spec.norm, buffers, { ...shape, accumulate: false });
}
