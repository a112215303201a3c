import type { OnnxRuntime } from "../engine/runtime/onnx/runtime.ts";

/**
 * ONNX Runtime in Node, which computes on the CPU: its GPU kernels want a browser's WebGPU, and of
 * their entries Node compiles the WebAssembly for a minute.
 */
export async function importRuntime(): Promise<OnnxRuntime> {
  return await import("onnxruntime-web/wasm");
}
