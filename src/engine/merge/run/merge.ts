import { inputsOf } from "../../checkpoint/inputFiles.ts";
import { EngineError } from "../../contract/index.ts";
import type { FileTreeWriter } from "../../core/bytes.ts";
import { sealUnchanged, watchInputs } from "../../core/inputs.ts";
import type { GpuProvider } from "../../gpu/device.ts";
import { makeWeightMap } from "../map/weightMap.ts";
import { bytesToMeasure, bytesToMerge } from "../plan/estimate.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { requireRunnable } from "../plan/prepare.ts";
import { decideAll } from "./decide.ts";
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
 * Runs a whole merge: measures, decides, applies, and writes the files beside the weights. Resumes
 * where an earlier run into the same writer stopped; `changed` where an input differs from when
 * this run began. Peak memory is a few tiles.
 */
export async function mergeInto(
  plan: Plan,
  writer: FileTreeWriter,
  gpuProvider: GpuProvider,
  options: MergeOptions,
): Promise<void> {
  requireRunnable(plan);
  const { signal, name } = options;
  const { writeBytes } = plan.card;
  const totalBytes = bytesToMerge(plan, options.captions);
  const inputs = await watchInputs(inputsOf([plan.template, ...plan.bases, ...plan.models]));
  /** Upper bound of the measuring passes' bytes: tensors read again after a lost device do not count. */
  const most = bytesToMeasure(plan, options.captions);
  let measuredBytes = 0;
  const measured = await measure(plan, gpuProvider, {
    signal,
    ...(options.known ? { known: options.known } : {}),
    ...(options.captions ? { captions: options.captions } : {}),
    ...(options.onTensor ? { onTensor: options.onTensor } : {}),
    progress: (doneBytes, label) => {
      measuredBytes = Math.min(doneBytes, most);
      options.progress?.(measuredBytes, label);
    },
  });
  const readPerWritten = (totalBytes - measuredBytes) / Math.max(writeBytes, 1);
  const decisions = await explaining(plan, () => decideAll(plan, measured));
  const sideFiles = await makeDocuments(plan, { name, map: makeWeightMap(plan, measured) });
  const progress = (written: number, label: string) =>
    options.progress?.(measuredBytes + written * readPerWritten, label);
  const sealed = sealUnchanged(writer, inputs);
  await explaining(plan, () =>
    runMerge(plan, decisions, sealed, gpuProvider, { signal, sideFiles, progress }),
  );
}

/** What `work` makes; where a model's NaN makes it impossible, the error names model and element. */
async function explaining<T>(plan: Plan, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = error instanceof EngineError && error.code === "nonfinite" ? error.details : {};
    const output = plan.outputs.find(({ name }) => name === known.tensor);
    if (!output || known.model !== undefined) throw error;
    const whole = { first: 0, count: output.elementCount };
    const explained = await explainNonfinite(plan, output, whole);
    throw explained.details.model === undefined ? error : explained;
  }
}
