import { EngineError } from "../contract/index.ts";
import { linkShader } from "./link.ts";
import { BufferPool } from "./pool.ts";
import type { ShaderConstants } from "./shaderConstants.ts";

/** Default budget of 2 GiB: what an integrated GPU can spare beside a desktop. */
export const DEFAULT_BUDGET_BYTES = 2 * 2 ** 30;

/**
 * Limits to raise above WebGPU's defaults where the adapter allows; everything runs at the
 * defaults, too.
 */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
] as const;

/**
 * Optional features: for the tuner's timestamps, for ONNX Runtime's kernels, and for faster
 * kernels.
 */
const WANTED_FEATURES = ["timestamp-query", "shader-f16", "subgroups"] as const;

/** Store of findings about adapters, such as kernel timings, kept for later visits. */
export interface Findings {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

/** A device with its pipelines and its memory pool. Knows nothing of models. */
export class Gpu {
  readonly device: GPUDevice;
  readonly name: string;
  /** Whether the adapter computes on the CPU: slow, but working. */
  readonly software: boolean;
  readonly pool: BufferPool;
  readonly findings: Findings | undefined;
  #lost: EngineError | null = null;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice, info: GPUAdapterInfo, budgetBytes: number, findings?: Findings) {
    this.device = device;
    this.findings = findings;
    // Browsers often reveal no more than vendor and architecture.
    const family = [info.vendor, info.architecture].filter(Boolean).join(" ");
    this.name = info.description || info.device || family || "GPU";
    this.software =
      info.isFallbackAdapter ||
      /swiftshader|llvmpipe|lavapipe|software/i.test(
        `${info.device} ${info.description} ${info.architecture}`,
      );
    this.pool = new BufferPool(device, budgetBytes);
    device.lost.then(({ reason, message }) => {
      this.#lost = new EngineError("gpu-lost", `The GPU device was lost: ${message || reason}`, {
        reason,
      });
    });
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  /**
   * A compute pipeline with entry point `main`, compiled once. `bindings` are the buffers of group 0
   * in order; a rule need not use them all. Errors name the shader's own file and line.
   */
  pipeline(
    paths: readonly string[],
    constants: ShaderConstants,
    bindings: readonly GPUBufferBindingType[],
  ): Promise<GPUComputePipeline> {
    const key = JSON.stringify([paths, constants]);
    const known = this.#pipelines.get(key);
    if (known) return known;
    const made = this.#compile(paths, constants, bindings);
    this.#pipelines.set(key, made);
    return made;
  }

  async #compile(
    paths: readonly string[],
    constants: ShaderConstants,
    bindings: readonly GPUBufferBindingType[],
  ): Promise<GPUComputePipeline> {
    const label = paths.join(" + ");
    const linked = linkShader(paths, constants);
    return this.guard(label, async () => {
      const module = this.device.createShaderModule({ label, code: linked.code });
      const { messages } = await module.getCompilationInfo();
      const first = messages.find(({ type }) => type === "error");
      if (first) {
        const where = linked.locate(first.lineNum);
        throw new EngineError("internal", `${where}: ${first.message}`, { shader: where });
      }
      const group = this.device.createBindGroupLayout({
        entries: bindings.map((type, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type },
        })),
      });
      return this.device.createComputePipelineAsync({
        label,
        layout: this.device.createPipelineLayout({ bindGroupLayouts: [group] }),
        compute: { module, entryPoint: "main" },
      });
    });
  }

  /**
   * Runs GPU work under error scopes. `gpu-memory` when the device is out of memory, `gpu-lost`
   * when it was lost meanwhile, `internal` with the validation message for wrong usage.
   */
  async guard<T>(label: string, work: () => Promise<T> | T): Promise<T> {
    if (this.#lost) throw this.#lost;
    const { device } = this;
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    // Scopes are opened and closed in one turn, so that concurrent guards do not see each other's
    // errors.
    const outcome = new Promise<T>((resolve) => resolve(work()));
    const validation = device.popErrorScope();
    const memory = device.popErrorScope();
    try {
      const [result, invalid, full] = await Promise.all([outcome, validation, memory]);
      if (full) {
        throw new EngineError("gpu-memory", `"${label}": ${full.message}. Lower the GPU budget.`, {
          label,
        });
      }
      if (invalid) throw new EngineError("internal", `"${label}": ${invalid.message}`, { label });
      return result;
    } catch (error) {
      if (error instanceof EngineError) throw error;
      // Operations on a lost device can fail before `lost` resolves: wait one turn.
      await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
      throw this.#lost ?? error;
    }
  }

  destroy(): void {
    this.device.destroy();
  }
}

/**
 * Requests a device with the adapter's own limits. `no-webgpu` where the browser has none,
 * `no-adapter` where there is no adapter.
 */
export async function acquireGpu(
  gpu: GPU | undefined,
  options: {
    readonly budgetBytes?: number;
    readonly defaultLimits?: boolean;
    readonly findings?: Findings | undefined;
  } = {},
): Promise<Gpu> {
  if (!gpu) {
    throw new EngineError(
      "no-webgpu",
      "This browser does not offer WebGPU here. Use Chrome or Edge 137 or newer, Firefox 141 or Safari 26, over https or on localhost.",
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new EngineError(
      "no-adapter",
      "WebGPU is there, but it found no GPU it may use. Switch on hardware acceleration in the browser's settings and update the graphics driver.",
    );
  }
  const requiredLimits: Record<string, number> = {};
  if (!options.defaultLimits) {
    for (const limit of WANTED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  }
  const device = await adapter.requestDevice({
    requiredLimits,
    requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
  });
  const { budgetBytes = DEFAULT_BUDGET_BYTES, findings } = options;
  return new Gpu(device, adapter.info, budgetBytes, findings);
}

/** Provides one shared device, and a new one after a loss. */
export class GpuProvider {
  readonly #gpu: GPU | undefined;
  readonly #findings: Findings | undefined;
  #budgetBytes: number;
  #current: Promise<Gpu> | null = null;

  constructor(
    gpu: GPU | undefined,
    budgetBytes: number = DEFAULT_BUDGET_BYTES,
    findings?: Findings,
  ) {
    this.#gpu = gpu;
    this.#findings = findings;
    this.#budgetBytes = budgetBytes;
  }

  get budgetBytes(): number {
    return this.#budgetBytes;
  }

  /** Budget of the next device. */
  setBudget(bytes: number): void {
    this.#budgetBytes = bytes;
    this.#current = null;
  }

  async get(): Promise<Gpu> {
    const current = await this.#current?.catch(() => null);
    if (current && !current.isLost) return current;
    this.#current = acquireGpu(this.#gpu, {
      budgetBytes: this.#budgetBytes,
      findings: this.#findings,
    });
    return this.#current;
  }
}
