import { EngineError } from "../engine/contract/index.ts";

declare global {
  /** Global list of `create`d objects: Dawn aborts the process when one is garbage-collected. */
  var fusestudioDawn: GPU[] | undefined;
}

/**
 * WebGPU from Dawn, with `GPUBufferUsage` and its like on globalThis; undefined without an adapter.
 * `adapter` is a part of the adapter's name; an unknown one is `no-adapter`. Loaded on demand,
 * since the native module has 130 MB.
 */
export async function openDawn(adapter?: string): Promise<GPU | undefined> {
  const dawn = await import("webgpu").catch(() => undefined);
  if (!dawn) return undefined; // no build of Dawn for this platform
  Object.assign(globalThis, dawn.globals);
  try {
    const gpu = dawn.create(adapter === undefined ? [] : [`adapter=${adapter}`]);
    globalThis.fusestudioDawn = [...(globalThis.fusestudioDawn ?? []), gpu];
    return (await gpu.requestAdapter()) ? gpu : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError("no-adapter", `No adapter's name contains "${adapter}": ${reason}`, {
      adapter: adapter ?? "",
    });
  }
}

/** Dawn's null backend: it compiles shaders with Tint and validates, but computes nothing. */
export async function openNullDawn(): Promise<GPU> {
  const dawn = await import("webgpu");
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create(["backend=null"]);
  globalThis.fusestudioDawn = [...(globalThis.fusestudioDawn ?? []), gpu];
  return gpu;
}
