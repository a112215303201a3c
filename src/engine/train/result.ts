import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { headBeside } from "../checkpoint/tensorRoles/role.ts";
import type { TrainingSettings } from "../contract/index.ts";
import type { FileTree } from "../core/bytes.ts";
import type { Gpu } from "../gpu/device.ts";
import { readBytes } from "../gpu/readBytes.ts";
import { measureDecoder } from "../runtime/decoder/plan.ts";
import { adapterFiles, type TrainedFactors } from "./adapterFiles.ts";
import { adaptedModules } from "./backward/adaptedModules.ts";
import { LORA_MODULES } from "./backward/target.ts";
import type { Parameter, TrainableModel } from "./backward/trainable.ts";
import { loraOf } from "./run.ts";
import { type TargetOrigin, targetDocuments } from "./targetCard.ts";
import { planTarget, type TargetPlan, type Trained } from "./targetFiles.ts";

/** Folder of a target that holds its adapter. */
const ADAPTER_FOLDER = "adapter/";

async function readValues(gpu: Gpu, { value }: Parameter, first: number, count: number) {
  const bytes = await readBytes(gpu, value, 4 * first, 4 * count);
  return new Float32Array(bytes.buffer);
}

interface Result {
  readonly plan: TargetPlan;
  readonly trained: Trained;
}
interface TrainedOn {
  readonly gpu: Gpu;
  readonly model: TrainableModel;
}

/** Plans a trained model's checkpoint, the adapter's files included. */
export async function planResult(
  pivot: Checkpoint,
  settings: TrainingSettings,
  on: TrainedOn,
  options: TargetOptions,
): Promise<Result> {
  const documents = await targetDocuments(pivot, settings, options.origin);
  const { shardBytes } = options;
  return settings.mode === "full"
    ? planFull(pivot, settings, on, { shardBytes, files: documents.target })
    : planAdapted(pivot, settings, on, { shardBytes, documents });
}

interface TargetOptions {
  readonly origin: TargetOrigin;
  readonly shardBytes: number;
}

function planFull(
  pivot: Checkpoint,
  { dtype }: TrainingSettings,
  { gpu, model }: TrainedOn,
  { shardBytes, files }: { readonly shardBytes: number; readonly files: FileTree },
): Result {
  const parameters = new Map(model.parameters.map((each) => [each.name, each]));
  const computes = (name: string) => parameters.has(name);
  const plan = planTarget(pivot, {
    dtype,
    shardBytes,
    computes,
    untied: null,
    files,
  });
  const read = (tensor: string, first: number, count: number) => {
    const parameter = parameters.get(tensor);
    return parameter ? readValues(gpu, parameter, first, count) : null;
  };
  return { plan, trained: { kind: "full", read } };
}

async function planAdapted(
  pivot: Checkpoint,
  settings: TrainingSettings,
  { gpu, model }: TrainedOn,
  {
    shardBytes,
    documents,
  }: {
    readonly shardBytes: number;
    readonly documents: Awaited<ReturnType<typeof targetDocuments>>;
  },
): Promise<Result> {
  const { spec, lookup } = measureDecoder(pivot);
  const { head, embedding } = spec;
  const tied = head.tensor === embedding.tensor;
  // The head gets a name of its own; it was the embedding before.
  const ownHead = headBeside(embedding.tensor);
  const factors: TrainedFactors[] = [];
  for (const adapter of model.adapters) {
    const own = adapter.module === "lm_head";
    const shape = [adapter.b.shape[0]!, adapter.a.shape[1]!];
    const lying = adapter.layout === "in_out" ? shape.toReversed() : shape;
    factors.push({
      adapter,
      tensor: tied && own ? ownHead : lookup.find(adapter.tensor, lying).name,
      a: await readValues(gpu, adapter.a, 0, adapter.a.count),
      b: await readValues(gpu, adapter.b, 0, adapter.b.count),
    });
  }
  const everywhere = { ...loraOf(settings), modules: LORA_MODULES };
  const modules = adaptedModules(spec, everywhere).map(({ module }) => module);
  const files = adapterFiles(factors, settings, { name: pivot.name, modules });
  const changed = new Set(factors.map(({ tensor }) => tensor));
  const ends = model.adapters.some(({ tensor }) => tensor === embedding.tensor);
  const table =
    tied && ends ? lookup.find(embedding.tensor, [spec.vocabSize, spec.hiddenSize]) : null;
  const plan = planTarget(pivot, {
    dtype: settings.dtype,
    shardBytes,
    computes: (name) => changed.has(name),
    // Embedding and head are no longer equal once they were trained differently.
    untied: table && { head: ownHead, embedding: table.name },
    files: new Map([
      ...documents.target,
      ...[...files, ...documents.adapter].map(
        ([path, source]) => [`${ADAPTER_FOLDER}${path}`, source] as const,
      ),
    ]),
  });
  return { plan, trained: { kind: "lora", factors } };
}
