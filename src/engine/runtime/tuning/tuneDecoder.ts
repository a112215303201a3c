import type { Gpu } from "../../gpu/device.ts";
import type { ResourceScope } from "../../gpu/resourceScope.ts";
import type { Kernels } from "../decoder/layer.ts";
import type { MeasuredDecoder } from "../decoder/plan.ts";
import { keptFormat } from "../decoder/tensorLookup.ts";
import type { AttentionSpec } from "../description/spec.ts";
import { headProjection, layerProjections, storedShape } from "../description/tensors.ts";
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

/** Milliseconds of tuning: little beside the loading of a model that is worth it. */
const BUDGET_MS = 300;
/**
 * Smallest model that is tuned, in bytes of weights. Smaller ones gain little, and would wait
 * longer for the tuner than for their weights.
 */
const WORTH_TUNING_BYTES = 64 * 2 ** 20;
/** Rows of attention that are timed, the last ones of a text. */
const TIMED_ROWS = 128;
const TIMED_TOKENS = 512;

/** Default kernels, without timing. */
export function ruleKernels(software: boolean): Kernels {
  return {
    matmul: ({ rows }) => chooseMatmul(rows, software),
    attention: (spec, rows) => chooseAttention(spec, rows, software),
  };
}

/** Kernels for a decoder on this adapter: timed where worth it, else the default. */
export async function chooseKernels(
  gpu: Gpu,
  measured: MeasuredDecoder,
  rows: number,
): Promise<Kernels> {
  if (measured.weightBytes < WORTH_TUNING_BYTES) return ruleKernels(gpu.software);
  return tuneKernels(gpu, measured, { rows, budgetMs: BUDGET_MS });
}

/** Times the kernels of passes of up to `rows` tokens, in `budgetMs`, unless known already. */
export async function tuneKernels(
  gpu: Gpu,
  measured: MeasuredDecoder,
  { rows, budgetMs }: { readonly rows: number; readonly budgetMs: number },
): Promise<Kernels> {
  // Decoding and prompt reading come first: contests without time left go to the default.
  const counts = [1, rows, 64, 8].filter((count) => count <= rows);
  const shapes = counts.flatMap((count) => matmulShapes(measured, count));
  const heads = measured.spec.layers.map(({ attention }) => attention);
  const contests = [...matmulContests(gpu, shapes), ...attentionContests(gpu, heads)];
  const winners = await decideContests(gpu, contests, budgetMs);
  const rule = ruleKernels(gpu.software);
  return {
    matmul: matmulChoice(gpu, winners),
    attention: (spec, count) => {
      const byRule = rule.attention(spec, count);
      if (byRule !== "queries") return byRule;
      return (winners.get(attentionName(spec)) as AttentionKernel | undefined) ?? byRule;
    },
  };
}

function matmulShapes({ spec, lookup }: MeasuredDecoder, rows: number): readonly MatmulShape[] {
  return [...spec.layers.flatMap(layerProjections), headProjection(spec)].map((projection) => {
    const tensor = lookup.find(projection.weight, [...storedShape(projection)]);
    const { layout, inputs, outputs } = projection;
    return { rows, inputs, outputs, layout, format: keptFormat(tensor) };
  });
}

/** Heads of a size, so many of them to a key head, are one kind of work. */
const attentionName = (spec: AttentionSpec) =>
  `attention ${headQuads(spec)} ${spec.heads / spec.kvHeads}`;

/** Which kernel reads many queries, for each kind of heads; none where there is no choice. */
function attentionContests(gpu: Gpu, specs: readonly AttentionSpec[]): readonly Contest[] {
  if (gpu.software) return [];
  const candidates: readonly AttentionKernel[] = ["queries", "lanes"];
  const byName = new Map<string, Contest>();
  for (const each of specs.filter(fitsQueries)) {
    const spec = { ...each, window: null };
    const name = attentionName(spec);
    byName.set(name, {
      name,
      candidates,
      prepare: (recorder, scope) => prepareAttention(recorder, scope, spec),
    });
  }
  return [...byName.values()];
}

function prepareAttention(recorder: Recorder, scope: ResourceScope, spec: AttentionSpec) {
  const { pool } = recorder.gpu;
  const allocate = (values: number) =>
    scope.keep(pool.allocate("tuning", 4 * values, GPUBufferUsage.STORAGE)).buffer;
  const width = spec.heads * headQuads(spec) * 4;
  const cached = TIMED_TOKENS * spec.kvHeads * headQuads(spec) * 4;
  const buffers = {
    queries: allocate(TIMED_ROWS * width),
    keys: allocate(cached),
    values: allocate(cached),
    out: { buffer: allocate(TIMED_ROWS * width), stride: width, offset: 0 },
    logSums: allocate(TIMED_ROWS * spec.heads),
  };
  const shape = { rows: TIMED_ROWS, start: TIMED_TOKENS - TIMED_ROWS };
  return (kernel: string) =>
    attend(recorder, spec, buffers, { ...shape, kernel: kernel as AttentionKernel });
}
