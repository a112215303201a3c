import type { LoadedNorm, LoadedProjection } from "../../runtime/decoder/layerWeights.ts";
import type { HeadView } from "../../runtime/description/spec.ts";
import type { Rows } from "../../runtime/kernels/multiply.ts";
import { wholeQuads } from "./alignRows.ts";
import {
  activateBackward,
  attendBackward,
  normaliseBackward,
  scaleByNormed,
  unrotate,
} from "./kernels.ts";
import { type Branch, branchOf, lowRankOf, type TrainedLayer } from "./layerForward.ts";
import { addColumns, projectBackward, type TrainPass } from "./pass.ts";
import type { HeadPart, Part } from "./space.ts";

/**
 * Records a layer backwards: dResidual is the gradient of its output and becomes that of its input;
 * what the layer trains gets its gradients. Reads what `forwardLayer` left. `lowest`: neither its
 * first norm nor anything below is trained, so the input's gradient is not made.
 */
export async function backwardLayer(
  pass: TrainPass,
  layer: TrainedLayer,
  { lowest }: { readonly lowest: boolean },
): Promise<void> {
  const { space, spec } = pass;
  const { weights, index } = layer;
  const input = space.residual(index);
  const { parallelResidual } = spec;
  const mlp = { norm: weights.mlpNorm, x: parallelResidual ? input : space.rowsOf("middle") };
  const dMlpNormed = space.rowsOf(parallelResidual ? "dMlpNormed" : "dNormed");
  await mlpBackward(pass, layer, dMlpNormed);
  // Side by side, both branches are given the output's gradient: neither may change it yet.
  if (!parallelResidual) await normBackward(pass, mlp.norm, { x: mlp.x, dy: dMlpNormed });
  const dNormed = space.rowsOf("dNormed");
  await attentionBackward(pass, layer, lowest ? null : dNormed);
  if (parallelResidual) await normBackward(pass, mlp.norm, { x: mlp.x, dy: dMlpNormed });
  if (!lowest) await normBackward(pass, weights.attentionNorm, { x: input, dy: dNormed });
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
  // Heads one after the other: a row of sums each.
  const scaled = { buffer: space.buffer(buffers.scaled), stride: quads, offset: 0 };
  const out = { ...scaled, stride: groups * quads, groupStride: quads };
  await scaleByNormed(recorder, spec.norm, { ...buffers, weight: norm.weight, out }, shape);
  await addColumns(pass, norm.weight, scaled, { rows: rows * groups, columns: width });
  await addColumns(pass, norm.bias, buffers.dy, { rows, columns: width });
}

/** dResidual → dx, the gradient of what a branch's last projection reads. */
async function branchBackward(
  pass: TrainPass,
  layer: TrainedLayer,
  branch: Branch,
  dx: Rows,
): Promise<void> {
  const { recorder, spec, space, rows } = pass;
  const { projection, postNorm } = branch;
  let dy = space.rowsOf("dResidual");
  if (postNorm) {
    const x = space.rowsOf(branch.through);
    const shape = { rows, width: spec.hiddenSize };
    await addNormGradients(pass, postNorm, { x, dy, scaled: "scaled" }, shape);
    const dBranch = space.rowsOf("dBranch");
    const buffers = { x, dy, weight: postNorm.weight, dx: dBranch };
    await normaliseBackward(recorder, spec.norm, buffers, { ...shape, accumulate: false });
    dy = dBranch;
  }
  const lowRank = lowRankOf(pass, layer, projection, true);
  const x = branch.from;
  await projectBackward(pass, projection, { x, dy, dx, lowRank }, { rows, accumulate: false });
}

/** dResidual → dMlpNormed. */
async function mlpBackward(pass: TrainPass, layer: TrainedLayer, dNormed: Rows): Promise<void> {
  const { recorder, space, rows } = pass;
  const { mlp } = pass.spec;
  const { mlpIn } = layer.weights;
  const dActive = space.rowsOf("dActive");
  await branchBackward(pass, layer, branchOf(pass, layer, "mlp"), dActive);
  await activateBackward(
    recorder,
    mlp.activation,
    { x: space.rowsOf("wide"), dy: dActive, dx: space.rowsOf("dWide") },
    { gate: mlp.gateOffset, up: mlp.upOffset, count: mlp.size },
    rows,
  );
  await inputsBackward(pass, layer, mlpIn, { x: "mlpNormed", dy: "dWide", dx: dNormed });
}

/** The projections that read the same rows: their gradients add up. */
async function inputsBackward(
  pass: TrainPass,
  layer: TrainedLayer,
  projections: readonly LoadedProjection[],
  { x, dy, dx }: { readonly x: Part; readonly dy: Part; readonly dx: Rows | null },
): Promise<void> {
  const { space, rows } = pass;
  for (const [i, projection] of projections.entries()) {
    const buffers = {
      x: space.rowsOf(x),
      dy: space.rowsOf(dy, projection.spec.column),
      dx,
      lowRank: lowRankOf(pass, layer, projection, true),
    };
    await projectBackward(pass, projection, buffers, { rows, accumulate: i > 0 });
  }
}

/** dResidual → dNormed, where it is wanted. */
async function attentionBackward(
  pass: TrainPass,
  layer: TrainedLayer,
  dNormed: Rows | null,
): Promise<void> {
  const { recorder, space, rows } = pass;
  const { weights, spec } = layer;
  const dMixed = space.rowsOf("dMixed");
  await branchBackward(pass, layer, branchOf(pass, layer, "attention"), dMixed);
  const buffer = (part: Part) => space.buffer(part);
  await attendBackward(
    recorder,
    pass.spec.attention,
    {
      queries: buffer("queries"),
      keys: buffer("keys"),
      values: buffer("values"),
      logSums: space.logSums(layer.index),
      documents: buffer("documents"),
      out: space.mixed(layer.index),
      dOut: dMixed,
      paddedOut: buffer("paddedOut"),
      sums: buffer("sums"),
      dQueries: buffer("dQueries"),
      dKeys: buffer("dKeys"),
      dValues: buffer("dValues"),
    },
    { rows, window: spec.window, scale: spec.attentionScale },
  );
  await headsBackward(pass, layer);
  await inputsBackward(pass, layer, weights.qkv, { x: "normed", dy: "dQkv", dx: dNormed });
}

/** dQueries, dKeys, dValues → dQkv: back through the rotation and the norms of heads. */
async function headsBackward(pass: TrainPass, { weights }: TrainedLayer): Promise<void> {
  const { recorder, space, rows, spec } = pass;
  const { attention } = spec;
  const { queryNorm, keyNorm } = weights;
  const buffer = (part: Part) => space.buffer(part);
  const from = {
    dQueries: buffer("dQueries"),
    dKeys: buffer("dKeys"),
    dValues: buffer("dValues"),
    angles: attention.rope ? buffer("angles") : pass.ones.buffer,
  };
  const out = { ...from, out: buffer("dQkv") };
  if (!queryNorm || !keyNorm) return unrotate(recorder, attention, out, { rows, which: "all" });
  const turned = { ...from, out: buffer("dTurned") };
  await unrotate(recorder, attention, turned, { rows, which: "queries and keys" });
  await unrotate(recorder, attention, out, { rows, which: "values" });
  await headNormBackward(pass, queryNorm, attention.query, attention.heads);
  await headNormBackward(pass, keyNorm, attention.key, attention.kvHeads);
}

/** dTurned → dQkv, for the heads of queries or of keys. */
async function headNormBackward(
  pass: TrainPass,
  norm: LoadedNorm,
  view: HeadView,
  heads: number,
): Promise<void> {
  const { recorder, spec, space, rows } = pass;
  const at = (part: Part) => ({
    ...space.rowsOf(part, view.offset),
    groupStride: view.headStride,
  });
  const shape = { rows, width: spec.attention.headDim, groups: heads };
  const [x, dy] = [at("qkv"), at("dTurned")];
  await addNormGradients(pass, norm, { x, dy, scaled: "scaled" }, shape);
  const buffers = { x, dy, weight: norm.weight, dx: at("dQkv") };
  await normaliseBackward(recorder, spec.norm, buffers, { ...shape, accumulate: false });
}
