import { PLAIN_FORMATS } from "../../core/tensor/weightFormat.ts";
import type { LoadedProjection, LoadedWeights } from "../../runtime/decoder/loadedWeights.ts";
import type { Matrix } from "../../runtime/decoder/weights.ts";
import { headProjection } from "../../runtime/description/tensors.ts";
import { normalise } from "../../runtime/kernels/kernels.ts";
import { embed } from "../../runtime/kernels/multiply.ts";
import { namedHead } from "./adaptedModules.ts";
import type { TrainBatch } from "./batch.ts";
import { normaliseBackward } from "./kernels.ts";
import { addNormGradients } from "./layerBackward.ts";
import { type LowRank, project, projectBackward, type TrainPass } from "./pass.ts";
import { LOSS_ROW_WORDS, lose, scatterRows } from "./rowKernels.ts";

/** Entries of the fused rows on the GPU. */
export interface EntryBuffers {
  readonly entries: GPUBuffer;
  readonly taken: GPUBuffer;
}

/** Positions with a nonzero weight, in order. */
export function countedPositions({ weights }: TrainBatch): readonly number[] {
  return [...weights.keys()].filter((t) => weights[t] !== 0);
}

/**
 * From the last residual to the losses of the positions that count and, with a `scale`, to
 * dResidual and the head's gradients. Logits are made for some rows at a time, and their gradient in
 * their place: a whole row at once needs the head's product once, where tiles over the vocabulary would
 * need it twice, for the log-sum and for p.
 */
export async function runHead(
  pass: TrainPass,
  ends: LoadedWeights,
  batch: TrainBatch,
  { entries, scale }: { readonly entries: EntryBuffers; readonly scale: number | null },
): Promise<void> {
  const { recorder, space } = pass;
  const counted = countedPositions(batch);
  if (scale !== null) clear(pass);
  for (let first = 0; first < counted.length; first += space.headRows) {
    const picked = counted.slice(first, first + space.headRows);
    recorder.submit(); // what was recorded reads the rows that are written now
    writeRows(pass, batch, picked, scale ?? 0);
    await runBlock(pass, ends, batch, { entries, first, rows: picked.length, scale });
  }
}

function clear({ recorder, space }: TrainPass): void {
  recorder.submit();
  const { device } = recorder.gpu;
  const encoder = device.createCommandEncoder();
  encoder.clearBuffer(space.buffer("dResidual"));
  device.queue.submit([encoder.finish()]);
}

/** Uploads which positions come next, and their labels and weights. */
function writeRows(
  { recorder, space }: TrainPass,
  { labels, weights, fused }: TrainBatch,
  picked: readonly number[],
  scale: number,
): void {
  const { queue } = recorder.gpu.device;
  const words = new Uint32Array(LOSS_ROW_WORDS * picked.length);
  const floats = new Float32Array(words.buffer);
  for (const [i, t] of picked.entries()) {
    const at = LOSS_ROW_WORDS * i;
    words.set([labels[t] as number, 0, fused?.starts[t] ?? 0, fused?.starts[t + 1] ?? 0], at);
    floats[at + 1] = scale * (weights[t] as number);
    floats[at + 4] = fused?.tails?.[t] ?? 0;
  }
  const places = picked.map((_, i) => i);
  const lists = Uint32Array.from([...picked, ...places, picked.length, ...places]);
  queue.writeBuffer(space.buffer("rows"), 0, words);
  queue.writeBuffer(space.buffer("picked"), 0, Uint32Array.from(picked));
  queue.writeBuffer(space.buffer("pickedGroups"), 0, lists);
}

/** The head under the name of its adapter's module. */
function headOf({ spec }: TrainPass, ends: LoadedWeights): LoadedProjection {
  return { ...ends.projection(headProjection(spec)), spec: namedHead(spec) };
}

function lowRankOfHead(
  { space, adapters }: TrainPass,
  head: LoadedProjection,
  first: number,
): LowRank | null {
  const adapter = adapters.get(head.spec.weight);
  if (!adapter) return null;
  return {
    low: space.rowsOf("lastLow"),
    dLow: space.rowsOf("dLastLow"),
    dropped: adapter.dropout > 0 ? space.rowsOf("lastDropped") : null,
    kept: false,
    first,
  };
}

async function runBlock(
  pass: TrainPass,
  ends: LoadedWeights,
  { lambda }: TrainBatch,
  block: {
    readonly entries: EntryBuffers;
    readonly first: number;
    readonly rows: number;
    readonly scale: number | null;
  },
): Promise<void> {
  const { recorder, space, spec } = pass;
  const { rows, first, scale } = block;
  const [residual, normed, logits] = [
    space.rowsOf("lastResidual"),
    space.rowsOf("lastNormed"),
    space.rowsOf("logits"),
  ];
  const gathered = { rows, scale: 1, accumulate: false };
  await embed(recorder, space.buffer("picked"), residualTable(pass), residual, gathered);
  const shape = { rows, width: spec.hiddenSize };
  await normalise(recorder, spec.norm, ends.norm(spec.finalNorm), residual, normed, shape);
  const head = headOf(pass, ends);
  const lowRank = lowRankOfHead(pass, head, first);
  const buffers = { x: normed, out: logits, lowRank };
  await project(pass, head, buffers, { rows, accumulate: false });
  await lose(
    recorder,
    { ...block.entries, rows: space.buffer("rows"), nats: space.buffer("nats"), logits },
    {
      rows,
      columns: spec.vocabSize,
      first,
      lambda,
      softcap: spec.head.softcap,
      differentiate: scale !== null,
    },
  );
  if (scale === null) return;
  const dNormed = space.rowsOf("dLastNormed");
  const backward = { x: normed, dy: logits, dx: dNormed, lowRank };
  await projectBackward(pass, head, backward, { rows, accumulate: false });
  await normBackward(pass, ends, rows);
}

/** The last residual as a table that rows are gathered from. */
function residualTable({ space, spec, rows }: TrainPass): Matrix {
  const { buffer, stride } = space.residual(spec.layers.length);
  return { panels: [{ buffer, first: 0, rows }], format: PLAIN_FORMATS.F32, rows, columns: stride };
}

/** dLastNormed → dResidual at the gathered rows. */
async function normBackward(pass: TrainPass, ends: LoadedWeights, rows: number): Promise<void> {
  const { recorder, space, spec } = pass;
  const finalNorm = ends.norm(spec.finalNorm);
  const shape = { rows, width: spec.hiddenSize };
  const [x, dy] = [space.rowsOf("lastResidual"), space.rowsOf("dLastNormed")];
  const dx = space.rowsOf("dLastResidual");
  await addNormGradients(pass, finalNorm, { x, dy, scaled: "lastScaled" }, shape);
  const buffers = { x, dy, dx, weight: finalNorm.weight };
  await normaliseBackward(recorder, spec.norm, buffers, { ...shape, accumulate: false });
  const { buffer, stride } = space.rowsOf("dResidual");
  const lists = { buffer: space.buffer("pickedGroups"), groups: rows };
  const out = { buffer, keyStride: stride, columnStride: 1 };
  await scatterRows(recorder, dx, lists, out, { columns: spec.hiddenSize, scale: 1 });
}
