import type { OnnxRuntime } from "./runtime.ts";

/** ONNX Runtime in a browser. Never its default entry, which ignores a device and hands out zeros. */
export async function importRuntime(): Promise<OnnxRuntime> {
  return "Suspending" in WebAssembly
    ? await import("onnxruntime-web/jspi")
    : await import("onnxruntime-web/webgpu");
}
