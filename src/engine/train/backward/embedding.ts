import type { LoadedWeights } from "../../runtime/decoder/loadedWeights.ts";
import { embed } from "../../runtime/kernels/multiply.ts";
import { addProducts } from "./kernels.ts";
import { multiplyRows, type TrainPass } from "./pass.ts";
import { gatherColumns, scatterRows } from "./rowKernels.ts";

/** Number of distinct tokens and of distinct positions in a batch; their lists are in the space. */
export interface BatchGroups {
  readonly ids: number;
  readonly positions: number;
}

/** Embeds the tokens: writes the first layer's input. */
export async function embedTokens(pass: TrainPass, ends: LoadedWeights): Promise<void> {
  const { recorder, space, rows } = pass;
  const { embedding } = pass.spec;
  const residual = space.residual(0);
  const tokens = { rows, scale: embedding.scale, accumulate: false };
  await embed(recorder, space.buffer("ids"), ends.matrix(embedding.tensor), residual, tokens);
  if (embedding.positions !== null) {
    const options = { rows, scale: 1, accumulate: true };
    const table = ends.matrix(embedding.positions);
    await embed(recorder, space.buffer("positions"), table, residual, options);
  }
  const adapter = pass.adapters.get(embedding.tensor);
  if (!adapter) return;
  await gatherLow(pass);
  const plain = { rows, layout: "out_in", accumulate: true } as const;
  await multiplyRows(pass, space.rowsOf("embeddedLow"), adapter.bMatrix, residual, plain);
}

/** low = scale · A[:, token], scaled as the embedding table is. */
async function gatherLow(pass: TrainPass): Promise<void> {
  const { recorder, space, rows, spec } = pass;
  const adapter = pass.adapters.get(spec.embedding.tensor);
  if (!adapter) return;
  const shape = { rows, columns: adapter.rank, scale: adapter.scale * spec.embedding.scale };
  const table = { buffer: adapter.a.value, stride: spec.vocabSize };
  await gatherColumns(recorder, space.buffer("ids"), table, space.rowsOf("embeddedLow"), shape);
}

/** Adds to the gradients of the embedding and of its adapter, from dResidual. */
export async function embedBackward(
  pass: TrainPass,
  ends: LoadedWeights,
  groups: BatchGroups,
): Promise<void> {
  const { recorder, space, spec, gradients } = pass;
  const { hiddenSize, embedding } = spec;
  const dResidual = space.rowsOf("dResidual");
  const tokens = { buffer: space.buffer("idGroups"), groups: groups.ids };
  const gradientOf = (name: string) =>
    gradients.get(ends.matrix(name).panels[0]?.buffer as GPUBuffer);
  const table = gradientOf(embedding.tensor);
  if (table) {
    const out = { buffer: table, keyStride: hiddenSize, columnStride: 1 };
    const shape = { columns: hiddenSize, scale: embedding.scale };
    await scatterRows(recorder, dResidual, tokens, out, shape);
  }
  const positions = embedding.positions === null ? null : gradientOf(embedding.positions);
  if (positions) {
    const lists = { buffer: space.buffer("positionGroups"), groups: groups.positions };
    const out = { buffer: positions, keyStride: hiddenSize, columnStride: 1 };
    await scatterRows(recorder, dResidual, lists, out, { columns: hiddenSize, scale: 1 });
  }
  await adapterBackward(pass, tokens);
}

async function adapterBackward(
  pass: TrainPass,
  tokens: { readonly buffer: GPUBuffer; readonly groups: number },
): Promise<void> {
  const { recorder, space, rows, spec } = pass;
  const adapter = pass.adapters.get(spec.embedding.tensor);
  if (!adapter) return;
  const { a, b, rank, scale } = adapter;
  const [dResidual, low, dLow] = [
    space.rowsOf("dResidual"),
    space.rowsOf("embeddedLow"),
    space.rowsOf("dLow"),
  ];
  await gatherLow(pass);
  const shape = { rows, lefts: spec.hiddenSize, rights: rank };
  await addProducts(recorder, dResidual, low, b.gradient, shape);
  const turned = { rows, layout: "in_out", accumulate: false } as const;
  await multiplyRows(pass, dResidual, adapter.bMatrix, dLow, turned);
  const out = { buffer: a.gradient, keyStride: 1, columnStride: spec.vocabSize };
  const options = { columns: rank, scale: scale * spec.embedding.scale };
  await scatterRows(recorder, dLow, tokens, out, options);
}
