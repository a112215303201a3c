import type { Gpu } from "../../gpu/device.ts";
import type { Kernels } from "../decoder/layer.ts";
import { storedShape } from "../decoder/layerWeights.ts";
import type { MeasuredDecoder } from "../decoder/plan.ts";
import { keptFormat } from "../decoder/tensorLookup.ts";
import type { AttentionSpec, DecoderSpec, Projection } from "../description/spec.ts";
import {
  type AttentionKernel,
  attend,
  chooseAttention,
  fitsQueries,
  headQuads,
} from "../kernels/kernels.ts";
import { chooseMatmul, type MatmulShape } from "../kernels/matmulKernels.ts";
import type { Recorder } from "../kernels/recorder.ts";
import { type Contest, decideContests } from "./tune.ts";
import { matmulChoice, matmulContests } from "./tuneMatmul.ts";

/** Nobody sees it before the loading of a model that is worth it. */
const BUDGET_MS = 300;
/**
 * Smaller models run by the rule: they have little to win, what is timed takes as much memory as they
 * do, and they would then wait longer for the tuner than for their weights.
 */
const WORTH_TUNING_BYTES = 64 * 2 ** 20;
/** Rows of attention that are timed, the last ones of so many tokens. */
const TIMED_ROWS = 128;
const TIMED_TOKENS = 512;

/** The rule's kernels, which nothing is measured for. */
export function ruleKernels(spec: DecoderSpec, software: boolean): Kernels {
  return {
    matmul: ({ rows }) => chooseMatmul(rows, software),
    attention: (rows) => chooseAttention(spec.attention, rows, software),
  };
}

/** The kernels for a decoder on this adapter: timed where that is worth it, else the rule's. */
export async function chooseKernels(
  gpu: Gpu,
  measured: MeasuredDecoder,
  rows: number,
): Promise<Kernels> {
  if (measured.weightBytes < WORTH_TUNING_BYTES) return ruleKernels(measured.spec, gpu.software);
  return tuneKernels(gpu, measured, { rows, budgetMs: BUDGET_MS });
}

/** Times what passes of up to `rows` tokens call for, in `budgetMs`, unless it is known already. */
export async function tuneKernels(
  gpu: Gpu,
  measured: MeasuredDecoder,
  { rows, budgetMs }: { readonly rows: number; readonly budgetMs: number },
): Promise<Kernels> {
  const { spec } = measured;
  // Decoding and reading a text first: what is left when the time is over goes to the rule.
  const counts = [1, rows, 64, 8].filter((count) => count <= rows);
  const shapes = counts.flatMap((count) => matmulShapes(measured, count));
  const attention = attentionContest(gpu, spec.attention);
  const contests = [...matmulContests(gpu, shapes), ...(attention ? [attention] : [])];
  const winners = await decideContests(gpu, contests, budgetMs);
  const many = attention && (winners.get(attention.name) as AttentionKernel);
  const rule = ruleKernels(spec, gpu.software);
  return {
    matmul: matmulChoice(gpu, winners),
    attention: (count) => {
      const byRule = rule.attention(count);
      return many && byRule === "queries" ? many : byRule;
    },
  };
}

function matmulShapes({ spec, lookup }: MeasuredDecoder, rows: number): readonly MatmulShape[] {
  const projections = spec.layers.flatMap((layer) => [
    ...layer.qkv,
    layer.attentionOut,
    ...layer.mlpIn,
    layer.mlpOut,
  ]);
  const head: Projection = {
    weight: spec.head.tensor,
    bias: null,
    layout: "out_in",
    inputs: spec.hiddenSize,
    outputs: spec.vocabSize,
    column: 0,
  };
  return [...projections, head].map((projection) => {
    const tensor = lookup.find(projection.weight, [...storedShape(projection)]);
    const { layout, inputs, outputs } = projection;
    return { rows, inputs, outputs, layout, format: keptFormat(tensor) };
  });
}

/** Which kernel reads many queries of such heads; none where there is no choice. */
function attentionContest(gpu: Gpu, spec: AttentionSpec): Contest | null {
  if (gpu.software || !fitsQueries(spec)) return null;
  const candidates: readonly AttentionKernel[] = ["queries", "lanes"];
  const { heads, kvHeads } = spec;
  const name = `attention ${headQuads(spec)} ${heads / kvHeads}`;
  return { name, candidates, prepare: (recorder) => prepareAttention(recorder, spec) };
}

function prepareAttention(recorder: Recorder, spec: AttentionSpec) {
  const { pool } = recorder.gpu;
  const made: { release(): void }[] = [];
  const allocate = (values: number) => {
    const pooled = pool.allocate("tuning", 4 * values, GPUBufferUsage.STORAGE);
    made.push(pooled);
    return pooled.buffer;
  };
  const release = () => {
    for (const buffer of made) buffer.release();
  };
  const width = spec.heads * headQuads(spec) * 4;
  const cached = TIMED_TOKENS * spec.kvHeads * headQuads(spec) * 4;
  try {
    const buffers = {
      queries: allocate(TIMED_ROWS * width),
      keys: allocate(cached),
      values: allocate(cached),
      out: { buffer: allocate(TIMED_ROWS * width), stride: width, offset: 0 },
      logSums: allocate(TIMED_ROWS * spec.heads),
    };
    const shape = { rows: TIMED_ROWS, start: TIMED_TOKENS - TIMED_ROWS, window: null, scale: 1 };
    const run = (kernel: string) =>
      attend(recorder, spec, buffers, { ...shape, kernel: kernel as AttentionKernel });
    return { run, release };
  } catch (error) {
    release();
    throw error;
  }
}
