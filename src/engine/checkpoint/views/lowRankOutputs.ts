import { EngineError } from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import type { Adapter } from "../adapters/adapter.ts";
import type { CheckpointTensor } from "../checkpoint.ts";
import type { TargetOutputs } from "./adapterTargets.ts";
import { keepValues, type LowRankBlock, readFactor, rowsWithin, transpose } from "./lowRank.ts";

/** Elements whose norms are summed up at once. */
const TILE_ELEMENTS = 2 ** 20;

/** Change of some outputs of a matrix, each a row, or a column where the matrix lies transposed. */
export interface OutputBlock extends LowRankBlock {
  readonly outputsAre: "rows" | "columns";
  /** Whether the change is rounded to the dtype before it is added: PEFT's way with embeddings. */
  readonly roundsFirst: boolean;
  /** Norms that the outputs get (DoRA), of this block's outputs; null: they keep theirs. */
  readonly magnitude: (() => Promise<Float64Array>) | null;
}

/**
 * The block of a matrix that some outputs of an adapter's module change: as torch's Linear stores
 * it, [outputs, inputs], or transposed: embeddings, whose inputs are tokens, and Conv1D. For a square
 * matrix `fan_in_fan_out` decides. `bad-shape` where neither way fits.
 */
export function lowRankBlock(
  tensor: CheckpointTensor,
  { module, first, count, at }: TargetOutputs,
  adapter: Adapter,
): OutputBlock {
  const { inputs, outputs, rank, scale, kind, magnitude } = module;
  const [height = 0] = tensor.shape;
  const width = tensor.elementCount / Math.max(1, height);
  const lies = inputs === width && at + count <= height;
  const stands = tensor.shape.length === 2 && inputs === height && at + count <= width;
  const turned = kind === "embedding" || (stands && (!lies || adapter.config.fanInFanOut));
  if (turned ? !stands : !lies) {
    throw new EngineError(
      "bad-shape",
      `${clip(module.module)} of the adapter ${adapter.name} maps ${inputs} inputs to ${outputs} outputs, but ${clip(tensor.name)} is [${tensor.shape}]. It was trained on another model${adapter.config.base === null ? "" : `: ${adapter.config.base}`}.`,
      { adapter: adapter.name, tensor: tensor.name.slice(0, 120), inputs, outputs },
    );
  }
  const a = () => readFactor(module.a);
  const b = async () => (await readFactor(module.b)).subarray(first * rank, (first + count) * rank);
  const shared = {
    rank,
    scale,
    roundsFirst: kind === "embedding" && magnitude === null,
    magnitude:
      magnitude && (async () => (await readFactor(magnitude)).subarray(first, first + count)),
  };
  if (!turned) {
    const place = { row: at, column: 0, rows: count, columns: inputs };
    return { ...shared, ...place, outputsAre: "rows", left: b, right: a };
  }
  const [leftKey, rightKey] = [{}, {}];
  return {
    ...shared,
    row: 0,
    column: at,
    rows: inputs,
    columns: count,
    outputsAre: "columns",
    left: () => keepValues(leftKey, rank * inputs, async () => transpose(await a(), rank, inputs)),
    right: () => keepValues(rightKey, count * rank, async () => transpose(await b(), count, rank)),
  };
}

/**
 * Factors by which the outputs are scaled (DoRA, arXiv:2402.09353, Eq. 5), magnitude/‖W + s·B·A‖,
 * by block: the matrix is read once for the norms, in float64.
 */
export async function measureOutputs(
  elementCount: number,
  width: number,
  blocks: readonly OutputBlock[],
  values: (first: number, count: number) => Promise<Float64Array>,
): Promise<readonly Float64Array[]> {
  const sums = blocks.map(({ outputsAre, rows, columns }) => {
    return new Float64Array(outputsAre === "rows" ? rows : columns);
  });
  for (let first = 0; first < elementCount; first += TILE_ELEMENTS) {
    const tile = await values(first, Math.min(TILE_ELEMENTS, elementCount - first));
    for (const [i, block] of blocks.entries()) {
      const own = sums[i]!;
      forEachValue(tile, first, width, block, (at, output) => {
        own[output] = own[output]! + tile[at]! * tile[at]!;
      });
    }
  }
  for (const [i, { magnitude }] of blocks.entries()) {
    const wanted = await magnitude!();
    const own = sums[i]!;
    for (let output = 0; output < own.length; output++) {
      own[output] = wanted[output]! / Math.sqrt(own[output]!);
    }
  }
  return sums;
}

/** Multiplies each of a block's outputs with its factor. */
export function scaleOutputs(
  values: Float64Array,
  first: number,
  width: number,
  block: OutputBlock,
  factors: Float64Array,
): void {
  forEachValue(values, first, width, block, (at, output) => {
    values[at] = values[at]! * factors[output]!;
  });
}

function forEachValue(
  values: Float64Array,
  first: number,
  width: number,
  block: OutputBlock,
  visit: (at: number, output: number) => void,
): void {
  const byRow = block.outputsAre === "rows";
  for (const { row, from, to, at } of rowsWithin(first, values.length, width, block)) {
    for (let i = 0; i < to - from; i++) visit(at + i, byRow ? row : from + i);
  }
}
