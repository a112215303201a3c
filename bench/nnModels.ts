import { openCheckpoint } from "../src/engine/checkpoint/open.ts";
import { bytesInMemory, type FileTree } from "../src/engine/core/bytes.ts";
import { acquireGpu, type Gpu } from "../src/engine/gpu/device.ts";
import { cacheBytes } from "../src/engine/runtime/decoder/cache.ts";
import { openDecoder } from "../src/engine/runtime/decoder/openDecoder.ts";
import { readLogits } from "../src/engine/runtime/generate/score.ts";
import type { LanguageModel } from "../src/engine/runtime/languageModel.ts";
import { openOnnx } from "../src/engine/runtime/onnx/openOnnx.ts";
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
  readonly rounds: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

export interface MemoryRow {
  readonly model: string;
  readonly context: number;
  readonly plannedBytes: number;
  readonly peakBytes: number;
  /** Of all buffers on the device, ours and whatever else. */
  readonly deviceBytes: number;
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

interface Timed {
  readonly engine: string;
  readonly model: LanguageModel;
  readonly prefills: number[];
  readonly steps: number[];
}

/** Reads a prompt and some tokens one by one, and notes the seconds of each. */
async function timeRound(gpu: Gpu, { model, prefills, steps }: Timed, context: number) {
  const ids = someIds(context + DECODED_TOKENS, model.vocabSize);
  const cache = model.newCache(ids.length);
  const read = async (some: readonly number[]) => {
    const asked = performance.now();
    await readLogits(gpu, model, some, "last", { cache });
    return (performance.now() - asked) / 1000;
  };
  prefills.push(await read(ids.slice(0, context)));
  for (const id of ids.slice(context)) steps.push(await read([id]));
  cache.release();
}

/**
 * Prefill and decode of one model up to the logits on the CPU, medians: by our engine with both kinds
 * of kernels and by ONNX Runtime, in turn. A whole round at the same lengths comes first and is not
 * counted: whoever compiles for a length has done so.
 */
export async function* timeSpeeds(
  gpu: Gpu,
  model: BenchModel,
  repetitions: number,
): AsyncGenerator<SpeedRow, void, void> {
  const files = await fetchFiles(model);
  const engines: Timed[] = [];
  const add = (engine: string, opened: LanguageModel) =>
    engines.push({ engine, model: opened, prefills: [], steps: [] });
  for (const kernels of ["cpu", "gpu"] as const) {
    const checkpoint = await openCheckpoint(files, model.name);
    add(`ours, ${kernels} kernels`, await openDecoder(gpu, checkpoint, { kernels }));
  }
  if (model.paths.some((path) => path.endsWith(".onnx"))) {
    const options = { name: model.name, provider: "webgpu" } as const;
    add("ONNX Runtime", await openOnnx(gpu, files, options));
  }
  for (const context of PREFILL_TOKENS) {
    for (const timed of engines) {
      await timeRound(gpu, timed, context);
      for (const list of [timed.prefills, timed.steps]) list.length = 0;
    }
    const begun = performance.now();
    for (let round = 0; round < repetitions; round++) {
      if (round > 0 && performance.now() > begun + ROUNDS_MS) break;
      for (const timed of engines) await timeRound(gpu, timed, context);
    }
    for (const { engine, prefills, steps } of engines) {
      yield {
        model: model.name,
        engine,
        context,
        rounds: prefills.length,
        prefillTokensPerSecond: context / median(prefills),
        decodeTokensPerSecond: 1 / median(steps),
      };
    }
  }
  for (const { model: opened } of engines) opened.release();
}

/** Counts the bytes of all buffers that anybody makes on a device, at most at once. */
function watchBuffers(device: GPUDevice): { peakBytes(): number } {
  const create = device.createBuffer.bind(device);
  let [live, peak] = [0, 0];
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    let counted = buffer.size;
    live += counted;
    peak = Math.max(peak, live);
    buffer.destroy = () => {
      live -= counted;
      counted = 0;
      return destroy();
    };
    return buffer;
  };
  return { peakBytes: () => peak };
}

/** What ONNX Runtime's buffers take at most, each context on a device of its own; none without .onnx. */
export async function measureOnnxMemory(webgpu: GPU | undefined, model: BenchModel) {
  const rows: { readonly context: number; readonly deviceBytes: number }[] = [];
  if (!model.paths.some((path) => path.endsWith(".onnx"))) return rows;
  const files = await fetchFiles(model);
  for (const context of CONTEXTS) {
    const gpu = await acquireGpu(webgpu);
    const watched = watchBuffers(gpu.device);
    const opened = await openOnnx(gpu, files, { name: model.name, provider: "webgpu" });
    await readLogits(gpu, opened, someIds(context, opened.vocabSize), "last");
    rows.push({ context, deviceBytes: watched.peakBytes() });
    opened.release();
    gpu.destroy();
  }
  return rows;
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
    const watched = watchBuffers(gpu.device);
    const decoder = await openDecoder(gpu, await openCheckpoint(files, model.name));
    const plannedBytes = decoder.plan.peakBytes + cacheBytes(decoder.spec, context);
    const cache = decoder.newCache(context);
    const ids = someIds(Math.min(context, model.mostTokens), decoder.vocabSize);
    await readLogits(gpu, decoder, ids, "last", { cache });
    const measured = { peakBytes: gpu.pool.peakBytes, deviceBytes: watched.peakBytes() };
    rows.push({ model: model.name, context, plannedBytes, ...measured });
    gpu.destroy();
  }
  return rows;
}
