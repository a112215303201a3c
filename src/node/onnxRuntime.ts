import type { OnnxRuntime } from "../engine/runtime/onnx/runtime.ts";

/**
 * ONNX Runtime in Node, on the CPU: its GPU kernels need a browser's WebGPU, and their entry would
 * take Node a minute to compile.
 */
export async function importRuntime(): Promise<OnnxRuntime> {
  return await import("onnxruntime-web/wasm");
}
