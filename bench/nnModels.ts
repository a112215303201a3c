import { bytesInMemory, type FileTree } from "../src/engine/base/bytes.ts";
import { acquireGpu, type Gpu } from "../src/engine/gpu/device.ts";
import type { LanguageModel } from "../src/engine/model/languageModel.ts";
import { openCheckpoint } from "../src/engine/model/open.ts";
import { cacheBytes } from "../src/engine/nn/cache.ts";
import { openDecoder } from "../src/engine/nn/openDecoder.ts";
import { readLogits } from "../src/engine/nn/score.ts";
import { openOnnx } from "../src/engine/onnx/openOnnx.ts";
import { median } from "./kernels.ts";

/** A model's folder on the bench's own server. */
export interface BenchModel {
  readonly name: string;
  readonly paths: readonly string[];
  /** Tokens that are read at most when memory is measured: a large model takes minutes for more. */
  readonly mostTokens: number;
}

export interface SpeedRow {
  readonly model: string;
  readonly engine: string;
  readonly context: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

export interface MemoryRow {
  readonly model: string;
  readonly context: number;
  readonly plannedBytes: number;
  readonly peakBytes: number;
}

/** The samples were trained to see 256 tokens. */
const DECODED_TOKENS = 4;
const PREFILL_TOKENS = [64, 128, 256 - DECODED_TOKENS];
const CONTEXTS = [64, 128, 256];
/** A slow engine is asked less often: no round begins after so long. */
const ROUNDS_MS = 6000;

async function fetchFiles(model: BenchModel): Promise<FileTree> {
  const files = await Promise.all(
    model.paths.map(async (path) => {
      const response = await fetch(`/models/${model.name}/${path}`);
      if (!response.ok) throw new Error(`${model.name}/${path}: ${response.status}`);
      return [path, bytesInMemory(new Uint8Array(await response.arrayBuffer()))] as const;
    }),
  );
  return new Map(files);
}

const someIds = (count: number, vocabSize: number) =>
  Array.from({ length: count }, (_, i) => (i * 37 + 5) % vocabSize);

/** Tokens per second up to the logits on the CPU, medians; the first round warms up. */
async function timeModel(gpu: Gpu, model: LanguageModel, context: number, repetitions: number) {
  const prefills: number[] = [];
  const steps: number[] = [];
  const ids = someIds(context + DECODED_TOKENS, model.vocabSize);
  const begun = performance.now();
  for (let round = 0; round <= repetitions; round++) {
    if (round > 1 && performance.now() > begun + ROUNDS_MS) break;
    const cache = model.newCache(ids.length);
    const read = async (some: readonly number[]) => {
      const asked = performance.now();
      await readLogits(gpu, model, some, "last", { cache });
      return (performance.now() - asked) / 1000;
    };
    const prefill = await read(ids.slice(0, context));
    if (round > 0) prefills.push(prefill);
    for (const id of ids.slice(context)) {
      const step = await read([id]);
      if (round > 0) steps.push(step);
    }
    cache.release();
  }
  return {
    prefillTokensPerSecond: context / median(prefills),
    decodeTokensPerSecond: 1 / median(steps),
  };
}

/** Prefill and decode of one model, by our engine with both kinds of kernels and by ONNX Runtime. */
export async function* timeSpeeds(
  gpu: Gpu,
  model: BenchModel,
  repetitions: number,
): AsyncGenerator<SpeedRow, void, void> {
  const files = await fetchFiles(model);
  const engines: [string, () => Promise<LanguageModel>][] = (["cpu", "gpu"] as const).map(
    (kernels) => [
      `ours, ${kernels} kernels`,
      async () => openDecoder(gpu, await openCheckpoint(files, model.name), { kernels }),
    ],
  );
  if (model.paths.some((path) => path.endsWith(".onnx"))) {
    const options = { name: model.name, provider: "webgpu" } as const;
    engines.push(["ONNX Runtime", () => openOnnx(gpu, files, options)]);
  }
  for (const [engine, open] of engines) {
    const opened = await open();
    for (const context of PREFILL_TOKENS) {
      const speeds = await timeModel(gpu, opened, context, repetitions);
      yield { model: model.name, engine, context, ...speeds };
    }
    opened.release();
  }
}

/** What the plan says and what the pool held at most, each context on a device of its own. */
export async function measureMemory(
  webgpu: GPU | undefined,
  model: BenchModel,
): Promise<readonly MemoryRow[]> {
  const files = await fetchFiles(model);
  const rows: MemoryRow[] = [];
  for (const context of CONTEXTS) {
    const gpu = await acquireGpu(webgpu);
    const decoder = await openDecoder(gpu, await openCheckpoint(files, model.name));
    const plannedBytes = decoder.plan.peakBytes + cacheBytes(decoder.spec, context);
    const cache = decoder.newCache(context);
    const ids = someIds(Math.min(context, model.mostTokens), decoder.vocabSize);
    await readLogits(gpu, decoder, ids, "last", { cache });
    rows.push({ model: model.name, context, plannedBytes, peakBytes: gpu.pool.peakBytes });
    gpu.destroy();
  }
  return rows;
}
