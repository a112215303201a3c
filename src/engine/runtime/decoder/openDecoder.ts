import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Gpu } from "../../gpu/device.ts";
import { spaceOn } from "../../gpu/space.ts";
import { Recorder } from "../kernels/recorder.ts";
import { chooseKernels, ruleKernels } from "../tuning/tuneDecoder.ts";
import { Decoder } from "./decoder.ts";
import type { Kernels } from "./layer.ts";
import { type LoadedLayer, loadEnds, loadLayer } from "./layerWeights.ts";
import { type DecoderPlan, type MeasuredDecoder, measureDecoder, planDecoder } from "./plan.ts";
import { WeightLoader } from "./weights.ts";
import { Workspace } from "./workspace.ts";

export interface DecoderOptions {
  /** Instead of the kernels that suit the adapter: the rule's for a kind of it, or a choice. */
  readonly kernels?: "cpu" | "gpu" | Kernels;
  /** Tokens per pass, at most. */
  readonly rows?: number;
  /** Layers are loaded whenever they are needed, even if all would fit. */
  readonly streamed?: boolean;
  /** Called before anything is loaded. */
  readonly onPlan?: (plan: DecoderPlan) => void;
  readonly signal?: AbortSignal;
  readonly progress?: (doneBytes: number, totalBytes: number, label: string) => void;
}

/**
 * Opens a checkpoint as a language model: plans, and loads what the plan keeps on the GPU.
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
  const made: { release(): void }[] = [];
  const keep = <T extends { release(): void }>(part: T): T => {
    made.push(part);
    return part;
  };
  try {
    const kernels = await findKernels(gpu, measured, plan, options);
    const space = keep(new Workspace(gpu, spec, plan.rows));
    const recorder = keep(new Recorder(gpu));
    let done = plan.endBytes;
    options.progress?.(0, plan.weightBytes, "embedding and head");
    const ends = keep(await loadEnds(loader, spec));
    const layers: LoadedLayer[] = [];
    for (const [i, layer] of (plan.streamed ? [] : spec.layers).entries()) {
      options.signal?.throwIfAborted();
      options.progress?.(done, plan.weightBytes, `layer ${i}`);
      layers.push(keep(await loadLayer(loader, spec, layer)));
      done += plan.layerBytes[i]!;
    }
    return new Decoder({ gpu, plan, loader, space, recorder, ends, layers, kernels });
  } catch (error) {
    for (const part of made) part.release();
    throw error;
  }
}

/** Before anything is loaded, so that what is timed has the GPU and its budget to itself. */
function findKernels(
  gpu: Gpu,
  measured: MeasuredDecoder,
  { rows }: DecoderPlan,
  { kernels }: DecoderOptions,
): Promise<Kernels> | Kernels {
  if (kernels === undefined) return chooseKernels(gpu, measured, rows);
  return typeof kernels === "string" ? ruleKernels(measured.spec, kernels === "cpu") : kernels;
}
