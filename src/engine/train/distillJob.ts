import { inputsOf } from "../checkpoint/inputFiles.ts";
import { deletePartial, findResult } from "../checkpoint/library/jobResult.ts";
import type { LibraryReader, LibraryWriter } from "../checkpoint/library/library.ts";
import {
  EngineError,
  type EngineEvent,
  type ModelId,
  type TrainingRequest,
} from "../contract/index.ts";
import type { FileTreeWriter } from "../core/bytes.ts";
import { sealUnchanged, watchInputs } from "../core/inputs.ts";
import type { JobContext, JobKind } from "../core/jobs/kind.ts";
import type { FusionLibrary } from "../fuse/dataset/fusions.ts";
import type { RecordStore } from "../fuse/dataset/recordStore.ts";
import type { GpuProvider } from "../gpu/device.ts";
import { measureDecoder } from "../runtime/decoder/plan.ts";
import { openTrainingDocuments } from "./documents.ts";
import { planRun, requireRoom } from "./planner.ts";
import { forgetTraining, recordTraining } from "./recordState.ts";
import { planResult } from "./result.ts";
import { runTraining, type TrainingOptions } from "./run.ts";
import { requireSameTokens } from "./sameTokens.ts";
import { checkTrainingSettings } from "./settings.ts";
import { writeTarget } from "./targetFiles.ts";

export interface TrainingParts {
  readonly gpuProvider: GpuProvider;
  readonly library: LibraryReader & LibraryWriter;
  readonly fusions: FusionLibrary;
  readonly records: RecordStore;
  tell(event: EngineEvent): void;
}

/** Largest shard of a target, in bytes, as transformers writes them. */
const SHARD_BYTES = 5e9;

/**
 * Reads everything that a training needs to know before it starts; `mismatch` where pivot and
 * dataset differ.
 */
export async function prepareTraining(
  {
    library,
    fusions,
    gpuProvider,
  }: Pick<TrainingParts, "fusions" | "gpuProvider"> & {
    readonly library: Pick<LibraryReader, "open">;
  },
  { pivot: id, fusion, settings: stated }: TrainingRequest,
) {
  const settings = checkTrainingSettings(stated);
  const pivot = await library.open(id);
  const documents = await openTrainingDocuments(fusions, fusion, settings);
  const { spec } = measureDecoder(pivot);
  if (documents.vocabSize > spec.vocabSize) {
    throw new EngineError(
      "mismatch",
      `The fused dataset is of a pivot with ${documents.vocabSize} tokens, but ${pivot.name} has ${spec.vocabSize}: train the pivot that it was made for.`,
      { data: documents.vocabSize, pivot: spec.vocabSize },
    );
  }
  await requireSameTokens(pivot, fusions.records(fusion));
  return { pivot, documents, plan: planRun(pivot, documents, settings, gpuProvider.budgetBytes) };
}

interface DistillState {
  /** Library id of the target being written. */
  readonly model: ModelId;
}

/** Job kind `distill`: trains a target checkpoint, with its adapter, into the library. */
export function createDistillKind(parts: TrainingParts): JobKind<"distill", DistillState> {
  const { gpuProvider, library, records, tell } = parts;
  return {
    kind: "distill",
    resource: "gpu",
    async prepare(request) {
      const { plan } = await prepareTraining(parts, request);
      requireRoom(plan);
      if (plan.steps === 0) {
        throw new EngineError(
          "usage",
          "There is nothing to learn in this dataset: none of its documents that are not held out has two tokens.",
        );
      }
      return {
        title: `Distill ${request.name}`,
        recipe: null,
        durable: true,
        totalBytes: plan.steps * plan.tokensPerStep,
      };
    },
    async run({ name, ...request }, context) {
      const { id, state, signal, progress } = context;
      const settings = checkTrainingSettings(request.settings);
      const earlier = await findResult(library, state);
      let model = earlier?.state === "complete" ? earlier.id : null;
      if (model === null) {
        const { pivot, documents, plan } = await prepareTraining(parts, request);
        const inputs = await watchInputs(inputsOf([pivot]));
        const totalBytes = plan.steps * settings.batchTokens;
        const notes = recordTraining(records, id);
        const options: TrainingOptions = {
          gpuProvider,
          pivot,
          documents,
          settings,
          signal,
          store: notes.store,
          onStart: notes.noteStart,
          async onPoint(point) {
            await notes.notePoint(point);
            tell({ type: "training", job: id, point });
            const doneBytes = point.step * settings.batchTokens;
            const label = `step ${point.step} of ${plan.steps}`;
            progress({ doneBytes, totalBytes, unit: "parts", label });
          },
        };
        let partial = earlier?.id ?? null;
        model = await runTraining(options, async (trained) => {
          const { name: dataset } = await parts.fusions.card(request.fusion);
          const result = await planResult(pivot, settings, trained, {
            origin: { name, dataset },
            shardBytes: SHARD_BYTES,
          });
          // A device that is lost while it is written does not make two of it.
          partial ??= await begin(name, result.plan.byteLength, library, context);
          await write(result, sealUnchanged(await library.resume(partial), inputs), context);
          return partial;
        });
      }
      await forgetTraining(records, id, { curve: false });
      return { models: [model], downloads: [], notes: [] };
    },
    async clean(id, state) {
      await forgetTraining(records, id, { curve: true });
      await deletePartial(library, state);
    },
  };
}

async function begin(
  name: string,
  byteLength: number,
  library: LibraryWriter,
  { save }: JobContext<DistillState>,
): Promise<ModelId> {
  const about = { name, origin: "train", byteLength, fingerprint: null, facts: null } as const;
  const { id } = await library.begin(about);
  await save({ model: id });
  return id;
}

/** Writes the parts of the target that are missing. */
async function write(
  { plan, trained }: Awaited<ReturnType<typeof planResult>>,
  writer: FileTreeWriter,
  { signal, progress, modelsChanged }: JobContext<DistillState>,
): Promise<void> {
  const { byteLength: totalBytes } = plan;
  modelsChanged();
  await writeTarget(plan, trained, writer, {
    signal,
    progress: (doneBytes, label) => progress({ doneBytes, totalBytes, label }),
  });
}
