import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { EngineError } from "../../contract/index.ts";
import type { Gpu } from "../../gpu/device.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import { LoadedWeights } from "../../runtime/decoder/loadedWeights.ts";
import { measureDecoder } from "../../runtime/decoder/plan.ts";
import { WeightLoader } from "../../runtime/decoder/weights.ts";
import { endTensors, layerTensors } from "../../runtime/description/tensors.ts";
import { Recorder } from "../../runtime/kernels/recorder.ts";
import { ruleKernels } from "../../runtime/tuning/tuneDecoder.ts";
import { makeAdapters } from "./adapters.ts";
import { alignRows } from "./alignRows.ts";
import { MasterLoader } from "./parameters.ts";
import { planMeasured, type TrainPlan } from "./plan.ts";
import { type SpaceLimits, TrainingSpace } from "./space.ts";
import { LORA_MODULES, type TrainTarget } from "./target.ts";
import type { TrainableModel } from "./trainable.ts";
import { TrainedDecoder } from "./trainedDecoder.ts";

export interface TrainableOptions extends SpaceLimits {
  /** Kernels to use instead of the adapter's. */
  readonly kernels?: "cpu" | "gpu";
  readonly signal?: AbortSignal;
}

/**
 * Opens a checkpoint for training. A LoRA's A starts as PEFT's does, uniform within ±1/√inputs, its B
 * as zeros (an embedding's A as zeros, its B normal): the model starts as the checkpoint.
 * `gpu-memory`, `usage` for a target that cannot be trained, and the errors of `measureDecoder`.
 */
export async function openTrainable(
  gpu: Gpu,
  checkpoint: Checkpoint,
  target: TrainTarget,
  options: TrainableOptions,
): Promise<TrainableModel> {
  checkTarget(target);
  const measured = measureDecoder(checkpoint);
  const plan = planMeasured(measured, target, options);
  checkBudget(gpu, plan);
  const { lookup } = measured;
  const spec = alignRows(measured.spec);
  const scope = new ResourceScope();
  try {
    const space = scope.keep(new TrainingSpace(gpu, spec, target, options));
    const recorder = scope.keep(new Recorder(gpu));
    const masters = target.kind === "full" ? new MasterLoader(gpu, lookup) : null;
    const loader = masters ?? new WeightLoader(gpu, lookup);
    const ends = scope.keep(await LoadedWeights.load(loader, endTensors(spec)));
    const layers: LoadedWeights[] = [];
    for (const layer of spec.layers) {
      options.signal?.throwIfAborted();
      layers.push(scope.keep(await LoadedWeights.load(loader, layerTensors(spec, layer))));
    }
    const adapters = target.kind === "lora" ? makeAdapters(gpu, spec, target, scope) : [];
    const parameters =
      masters?.parameters(gpu, spec, lookup, scope) ?? adapters.flatMap(({ a, b }) => [a, b]);
    const software = options.kernels ? options.kernels === "cpu" : gpu.software;
    return new TrainedDecoder({
      gpu,
      spec,
      plan,
      parameters,
      adapters,
      ends,
      layers,
      space,
      recorder,
      scope,
      ones: makeOnes(gpu, scope),
      // Timings may differ between openings, and a resumed run must give the same bits.
      kernels: ruleKernels(software),
    });
  } catch (error) {
    scope.release();
    throw error;
  }
}

function makeOnes(gpu: Gpu, scope: ResourceScope): GPUBuffer {
  const { STORAGE, COPY_DST } = GPUBufferUsage;
  const { buffer } = scope.keep(gpu.pool.allocate("ones", 16, STORAGE | COPY_DST));
  gpu.device.queue.writeBuffer(buffer, 0, new Float32Array(4).fill(1));
  return buffer;
}

function checkTarget(target: TrainTarget): void {
  if (target.kind === "full") return;
  const { modules, rank, alpha, dropout } = target;
  const unknown = modules.find((module) => !LORA_MODULES.includes(module));
  if (modules.length === 0 || unknown !== undefined) {
    const named = unknown === undefined ? "no module" : `"${unknown}"`;
    throw new EngineError(
      "usage",
      `A LoRA cannot train ${named}; it takes some of ${LORA_MODULES.join(", ")}.`,
      { modules: modules.join() },
    );
  }
  const wrong =
    !Number.isInteger(rank) || rank < 1 || !(alpha > 0) || !(dropout >= 0 && dropout < 1);
  if (!wrong) return;
  throw new EngineError(
    "usage",
    `A LoRA of rank ${rank}, alpha ${alpha} and dropout ${dropout} cannot be trained: rank is a whole number from 1, alpha above 0, dropout from 0 to below 1.`,
    { rank, alpha, dropout },
  );
}

function checkBudget(gpu: Gpu, { totalBytes, tokens }: TrainPlan): void {
  const { budgetBytes, usedBytes } = gpu.pool;
  const free = budgetBytes - usedBytes;
  if (totalBytes <= free) return;
  throw new EngineError(
    "gpu-memory",
    `Training on ${tokens} tokens at once takes ${totalBytes} bytes on the GPU, but ${free} of the budget are free. Take shorter batches or a lower rank, or raise the GPU budget.`,
    { totalBytes, free, tokens },
  );
}
