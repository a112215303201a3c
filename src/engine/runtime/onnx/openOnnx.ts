import { EngineError } from "../../contract/index.ts";
import type { FileTree } from "../../core/bytes.ts";
import type { Gpu } from "../../gpu/device.ts";
import { contextLengthOf, readConfig } from "./context.ts";
import { type OnnxFiles, type ReadOptions, readOnnxFiles } from "./files.ts";
import { OnnxModel } from "./onnxModel.ts";
import { inTurn, loadRuntime, type OnnxRuntime } from "./runtime.ts";
import { explainFailure, type OnnxProvider, OnnxSession } from "./session.ts";
import { readSignature } from "./signature.ts";

export interface OnnxOptions extends ReadOptions {
  /** Name of the model in messages. */
  readonly name: string;
  /** Provider to use instead of the GPU where possible. */
  readonly provider?: OnnxProvider;
}

const MAX_VOCABULARY = 2 ** 24;

/**
 * Opens an Optimum-style export as a language model: on the shared device, or on the CPU where ONNX
 * Runtime's GPU kernels cannot run it. Errors: those of `readOnnxFiles` and `readSignature`,
 * `bad-config`, and `unsupported-architecture` with ONNX Runtime's message.
 */
export async function openOnnx(
  gpu: Gpu,
  files: FileTree,
  options: OnnxOptions,
): Promise<OnnxModel> {
  const { name, signal } = options;
  const contextLength = contextLengthOf(await readConfig(files, name), name);
  const bytes = await readOnnxFiles(files, name, options);
  signal?.throwIfAborted();
  const runtime = await loadRuntime();
  signal?.throwIfAborted();
  const able = !bytes.facts.halves || gpu.device.features.has("shader-f16");
  const providers = options.provider
    ? [options.provider]
    : able
      ? (["webgpu", "wasm"] as const)
      : (["wasm"] as const);
  let failure: unknown;
  for (const provider of providers) {
    try {
      return await tryProvider({ gpu, name, runtime, bytes, provider, contextLength });
    } catch (error) {
      // Errors of the model itself would occur on any provider.
      if (gpu.isLost || (error instanceof EngineError && error.cause === undefined)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Creates a session and reads one token: only that shows whether the provider works. */
async function tryProvider(parts: {
  readonly gpu: Gpu;
  readonly name: string;
  readonly runtime: OnnxRuntime;
  readonly bytes: OnnxFiles;
  readonly provider: OnnxProvider;
  readonly contextLength: number;
}): Promise<OnnxModel> {
  const { gpu, name, runtime, bytes, provider } = parts;
  const onGpu = provider === "webgpu";
  const all = [bytes.graph, ...bytes.external.map(({ data }) => data)];
  const weightBytes = onGpu ? all.reduce((sum, { byteLength }) => sum + byteLength, 0) : 0;
  const reserved = gpu.pool.reserve(`weights of ${name}`, weightBytes);
  const session = await inTurn(() =>
    runtime.InferenceSession.create(bytes.graph, {
      executionProviders: onGpu
        ? // WGSL promises 11 bits of a sine, and no more than that of any angle beyond π: with
          // those of rotary embeddings the logits of 200 tokens were off by 6e-3, without by 2e-5.
          [{ name: "webgpu", device: gpu.device, forceCpuNodeNames: bytes.facts.trigonometry }]
        : ["wasm"],
      externalData: bytes.external,
      ...(onGpu ? { preferredOutputLocation: "gpu-buffer" as const } : {}),
      logSeverityLevel: 4, // what fails is thrown, too,
    }),
  ).catch((error: unknown) => {
    reserved.release();
    throw explainFailure(error, `ONNX Runtime could not load ${name}`, name);
  });
  try {
    const signature = readSignature(session, name);
    const own = new OnnxSession({ gpu, name, runtime, session, signature });
    const { logits, past } = await own.run([0], 0, new Map());
    const vocabSize = logits.dims[2] as number;
    for (const tensor of [logits, ...past.values()]) tensor.dispose();
    checkVocabulary(vocabSize, name);
    return new OnnxModel({
      gpu,
      session: own,
      reserved,
      provider,
      vocabSize,
      contextLength: parts.contextLength,
    });
  } catch (error) {
    reserved.release();
    await inTurn(() => session.release()).catch(() => undefined);
    throw error;
  }
}

function checkVocabulary(vocabSize: number, name: string): void {
  if (vocabSize >= 1 && vocabSize <= MAX_VOCABULARY) return;
  throw new EngineError(
    "bad-shape",
    `${name} gives logits of ${vocabSize} tokens; at most ${MAX_VOCABULARY} are supported.`,
    { model: name, vocabSize },
  );
}
