import { importRuntime } from "#onnx-runtime";

/** ONNX Runtime, of which every entry has the same types. */
export type OnnxRuntime = typeof import("onnxruntime-web");

let loaded: Promise<OnnxRuntime> | null = null;
let turn: Promise<unknown> = Promise.resolve();

/** Loads ONNX Runtime: 4 to 7 MB over the wire, so only when a model needs it. */
export function loadRuntime(): Promise<OnnxRuntime> {
  loaded ??= openRuntime().catch((error: unknown) => {
    loaded = null; // An interrupted download may be tried again.
    throw error;
  });
  return loaded;
}

async function openRuntime(): Promise<OnnxRuntime> {
  const runtime = await importRuntime();
  // Threads need a cross-origin isolated page, which a folder on any server is not.
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = "error";
  return runtime;
}

/** All sessions share one WebAssembly instance, which can be entered once at a time. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const run = turn.then(work);
  turn = run.catch(() => undefined);
  return run;
}
