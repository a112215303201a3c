import { openCheckpoint } from "../src/engine/checkpoint/open.ts";
import { bytesInMemory } from "../src/engine/core/bytes.ts";
import { acquireGpu } from "../src/engine/gpu/device.ts";
import { openDecoder } from "../src/engine/runtime/decoder/openDecoder.ts";
import { readLogits } from "../src/engine/runtime/generate/score.ts";
import { openOnnx } from "../src/engine/runtime/onnx/openOnnx.ts";
import type { OnnxProvider } from "../src/engine/runtime/onnx/session.ts";

/** What a test asks of the page. */
export interface OnnxQuestion {
  /** Where the folder is served, and its files. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly ids: readonly number[];
  readonly provider: OnnxProvider | null;
  /** Calls that the ids are given in; more than one goes through a cache. */
  readonly calls: readonly number[];
  /** Also through our own decoder, on the checkpoint in the same folder. */
  readonly decoder: boolean;
  /** Spoils the names of the graph's nodes' operators. */
  readonly damage?: boolean;
}

export interface OnnxAnswer {
  readonly adapter: string;
  readonly features: readonly string[];
  readonly provider: OnnxProvider;
  readonly contextLength: number;
  readonly vocabSize: number;
  /** `[ids, vocabSize]` */
  readonly onnx: number[];
  readonly decoder: number[] | null;
  readonly uncaptured: readonly string[];
}

/** There is no operator MatMuX. */
function spoilOperators(bytes: Uint8Array): void {
  const name = new TextEncoder().encode("MatMul");
  for (let i = 0; i + name.length <= bytes.length; i++) {
    if (name.every((letter, j) => bytes[i + j] === letter)) bytes[i + name.length - 1] = 88;
  }
}

async function answer(question: OnnxQuestion): Promise<OnnxAnswer> {
  const { folder, ids } = question;
  const files = new Map(
    await Promise.all(
      question.files.map(async (path) => {
        const response = await fetch(`${folder}/${path}`);
        if (!response.ok) throw new Error(`${path}: ${response.status}`);
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (question.damage && path.endsWith(".onnx")) spoilOperators(bytes);
        return [path, bytesInMemory(bytes)] as const;
      }),
    ),
  );
  const gpu = await acquireGpu(navigator.gpu);
  const uncaptured: string[] = [];
  gpu.device.addEventListener("uncapturederror", ({ error }) => uncaptured.push(error.message));
  const options = question.provider ? { provider: question.provider } : {};
  const model = await openOnnx(gpu, files, { name: folder, ...options });
  const cache = question.calls.length > 1 ? model.newCache(ids.length) : undefined;
  const onnx: number[] = [];
  let from = 0;
  for (const count of question.calls) {
    const some = ids.slice(from, from + count);
    onnx.push(...(await readLogits(gpu, model, some, "all", cache ? { cache } : {})));
    from += count;
  }
  cache?.release();
  let decoder: number[] | null = null;
  if (question.decoder) {
    const own = await openDecoder(gpu, await openCheckpoint(files, folder));
    decoder = [...(await readLogits(gpu, own, ids, "all"))];
    own.release();
  }
  const { provider, contextLength, vocabSize } = model;
  model.release();
  const features = [...gpu.device.features];
  return {
    adapter: gpu.name,
    features,
    provider,
    contextLength,
    vocabSize,
    onnx,
    decoder,
    uncaptured,
  };
}

Object.assign(window, { answer });
