import { inputsOf } from "../../checkpoint/inputFiles.ts";
import { EngineError } from "../../contract/index.ts";
import type { FileTreeWriter } from "../../core/bytes.ts";
import { sealUnchanged, type WatchedInputs, watchInputs } from "../../core/inputs.ts";
import type { GpuProvider } from "../../gpu/device.ts";
import { makeWeightMap } from "../map/weightMap.ts";
import { bytesToMerge, bytesToWrite } from "../plan/estimate.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { requireRunnable } from "../plan/prepare.ts";
import { type MeasureOptions, measure } from "./measure.ts";
import type { Measured } from "./measured.ts";
import { explainNonfinite } from "./nonfinite.ts";
import { runMerge } from "./run.ts";
import { makeDocuments } from "./sideFiles.ts";

export interface MergeOptions {
  /** Name of the result, for its model card. */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly known?: Measured;
  /** Reduce rules for the weight map's summary, beside the method's own. */
  readonly captions?: readonly string[];
  onTensor?: MeasureOptions["onTensor"];
  /** Progress in bytes of `bytesToMerge`, and the tensor at hand. */
  progress?(doneBytes: number, label: string): void;
}

/**
 * Runs a whole merge: measures, decides and applies tensor by tensor, and writes the files beside the
 * weights. Resumes where an earlier run into the same writer stopped; `changed` where an input
 * differs from when this run began.
 */
export async function mergeInto(
  plan: Plan,
  writer: FileTreeWriter,
  gpuProvider: GpuProvider,
  options: MergeOptions,
): Promise<void> {
  requireRunnable(plan);
  const { signal, name, progress, onTensor } = options;
  const asked = {
    signal,
    ...(options.known ? { known: options.known } : {}),
    ...(options.captions ? { captions: options.captions } : {}),
    ...(onTensor ? { onTensor } : {}),
  };
  const inputs = await watchInputs(inputsOf([plan.template, ...plan.bases, ...plan.models]));
  const perWritten = bytesToWrite(plan) / Math.max(plan.card.writeBytes, 1);
  const done = { measured: 0, written: 0 };
  const tell = (label: string) => progress?.(done.measured + done.written * perWritten, label);
  const sealed = sealUnchanged(writer, inputs);
  await explaining(plan, inputs, () =>
    runMerge(plan, sealed, gpuProvider, {
      ...asked,
      progress: (written, label) => {
        done.written = written;
        tell(label);
      },
      onMeasured: (measured, label) => {
        done.measured = measured;
        tell(label);
      },
      async sideFiles(known) {
        // What a run that was broken off had written without storing what it measured.
        const measured = await measure(plan, gpuProvider, { ...asked, known });
        progress?.(bytesToMerge(plan, options.captions), "");
        return makeDocuments(plan, { name, map: makeWeightMap(plan, measured) });
      },
    }),
  );
}

/**
 * What `work` makes. Where it stumbles over a model's values, the error says whether they changed
 * meanwhile, and of NaN in which model and element it is.
 */
async function explaining<T>(
  plan: Plan,
  inputs: WatchedInputs,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.code === "nonfinite" || error.code === "not-mergeable") {
      await inputs.requireUnchanged();
    }
    const known = error.code === "nonfinite" ? error.details : {};
    const output = plan.outputs.find(({ name }) => name === known.tensor);
    if (!output || known.model !== undefined) throw error;
    const whole = { first: 0, count: output.elementCount };
    const explained = await explainNonfinite(plan, output, whole);
    throw explained.details.model === undefined ? error : explained;
  }
}
