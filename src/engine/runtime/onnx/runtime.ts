import { importRuntime } from "#onnx-runtime";

/** ONNX Runtime; all of its entries have the same types. */
export type OnnxRuntime = typeof import("onnxruntime-web");

let loaded: Promise<OnnxRuntime> | null = null;
let turn: Promise<unknown> = Promise.resolve();

/** Loads ONNX Runtime on first use: it is a download of 4 to 7 MB. */
export function loadRuntime(): Promise<OnnxRuntime> {
  loaded ??= openRuntime().catch((error: unknown) => {
    loaded = null; // An interrupted download may be tried again.
    throw error;
  });
  return loaded;
}

async function openRuntime(): Promise<OnnxRuntime> {
  const runtime = await importRuntime();
  // Threads need a cross-origin isolated page, which a static host seldom provides.
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = "error";
  return runtime;
}

/** Runs calls one after the other: all sessions share one WebAssembly instance. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const run = turn.then(work);
  turn = run.catch(() => undefined);
  return run;
}
