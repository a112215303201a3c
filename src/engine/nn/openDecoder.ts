import type { Gpu } from "../gpu/device.ts";
import { spaceOn } from "../gpu/space.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { Decoder } from "./decoder.ts";
import { type LoadedLayer, loadEnds, loadLayer } from "./layerWeights.ts";
import { type DecoderPlan, measureDecoder, planDecoder } from "./plan.ts";
import { Recorder } from "./recorder.ts";
import { WeightLoader } from "./weights.ts";
import { Workspace } from "./workspace.ts";

export interface DecoderOptions {
  /** Instead of the kernels that suit the adapter. */
  readonly kernels?: "cpu" | "gpu";
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
  const { spec, finder } = measured;
  const loader = new WeightLoader(gpu, finder);
  const plan = planDecoder(spaceOn(gpu), measured, options);
  options.onPlan?.(plan);
  const made: { release(): void }[] = [];
  const keep = <T extends { release(): void }>(part: T): T => {
    made.push(part);
    return part;
  };
  try {
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
    const software = options.kernels ? options.kernels === "cpu" : gpu.software;
    return new Decoder({ gpu, plan, loader, space, recorder, ends, layers, software });
  } catch (error) {
    for (const part of made) part.release();
    throw error;
  }
}
