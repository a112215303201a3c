import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Gpu } from "../../gpu/device.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import { spaceOn } from "../../gpu/space.ts";
import { endTensors, layerTensors } from "../description/tensors.ts";
import { Recorder } from "../kernels/recorder.ts";
import { chooseKernels, ruleKernels } from "../tuning/tuneDecoder.ts";
import { Decoder } from "./decoder.ts";
import type { Kernels } from "./layer.ts";
import { LoadedWeights } from "./loadedWeights.ts";
import { type DecoderPlan, type MeasuredDecoder, measureDecoder, planDecoder } from "./plan.ts";
import { WeightLoader } from "./weights.ts";
import { Workspace } from "./workspace.ts";

export interface DecoderOptions {
  /** Kernels to use instead of the adapter's: the rule's for a kind of adapter, or a choice. */
  readonly kernels?: "cpu" | "gpu" | Kernels;
  /** Tokens per pass, at most. */
  readonly rows?: number;
  /** Loads layers whenever they are needed, even if all would fit. */
  readonly streamed?: boolean;
  /** Called with the plan before anything is loaded. */
  readonly onPlan?: (plan: DecoderPlan) => void;
  readonly signal?: AbortSignal;
  readonly progress?: (doneBytes: number, totalBytes: number, label: string) => void;
}

/**
 * Opens a checkpoint as a language model, with the weights on the GPU that the plan keeps there.
 * `gpu-memory`, and the errors of `measureDecoder`.
 */
export async function openDecoder(
  gpu: Gpu,
  checkpoint: Checkpoint,
  options: DecoderOptions = {},
): Promise<Decoder> {
  const measured = measureDecoder(checkpoint);
  const { spec, lookup } = measured;
  const loader = new WeightLoader(gpu, lookup);
  const plan = planDecoder(spaceOn(gpu), measured, options);
  options.onPlan?.(plan);
  const scope = new ResourceScope();
  try {
    const kernels = await findKernels(gpu, measured, plan, options);
    const space = scope.keep(new Workspace(gpu, spec, plan.rows));
    const recorder = scope.keep(new Recorder(gpu));
    let done = plan.endBytes;
    options.progress?.(0, plan.weightBytes, "embedding and head");
    const ends = scope.keep(await LoadedWeights.load(loader, endTensors(spec)));
    const layers: LoadedWeights[] = [];
    for (const [i, layer] of (plan.streamed ? [] : spec.layers).entries()) {
      options.signal?.throwIfAborted();
      options.progress?.(done, plan.weightBytes, `layer ${i}`);
      layers.push(scope.keep(await LoadedWeights.load(loader, layerTensors(spec, layer))));
      done += plan.layerBytes[i]!;
    }
    return new Decoder({ gpu, plan, loader, space, recorder, ends, layers, kernels });
  } catch (error) {
    scope.release();
    throw error;
  }
}

/** Kernels are timed before weights are loaded, so that the tuner has the GPU's memory. */
function findKernels(
  gpu: Gpu,
  measured: MeasuredDecoder,
  { rows }: DecoderPlan,
  { kernels }: DecoderOptions,
): Promise<Kernels> | Kernels {
  if (kernels === undefined) return chooseKernels(gpu, measured, rows);
  return typeof kernels === "string" ? ruleKernels(kernels === "cpu") : kernels;
}
