import {
  EngineError,
  type EngineEvent,
  type ModelId,
  type TrainingRequest,
} from "../contract/index.ts";
import type { FusionLibrary } from "../fuse/fusions.ts";
import type { RecordStore } from "../fuse/recordStore.ts";
import type { GpuSource } from "../gpu/device.ts";
import type { JobKind } from "../jobs/kind.ts";
import type { Library } from "../model/library.ts";
import { measureDecoder } from "../nn/plan.ts";
import { openTrainingDocuments } from "./documents.ts";
import { planRun, requireRoom } from "./planner.ts";
import { forgetTraining, recordTraining } from "./recordState.ts";
import { planResult } from "./result.ts";
import { runTraining } from "./run.ts";
import { checkTrainingSettings } from "./settings.ts";
import { writeTarget } from "./targetFiles.ts";

export interface TrainingParts {
  readonly source: GpuSource;
  readonly library: Library;
  readonly fusions: FusionLibrary;
  readonly records: RecordStore;
  tell(event: EngineEvent): void;
}

/** Largest shard of a target, as transformers writes them. */
const SHARD_BYTES = 5e9;

/** Everything of a training that is known before it starts; `mismatch` where pivot and data differ. */
export async function prepareTraining(
  { library, fusions, source }: Pick<TrainingParts, "library" | "fusions" | "source">,
  { pivot: id, fusion, settings }: TrainingRequest,
) {
  checkTrainingSettings(settings);
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
  return { pivot, documents, plan: planRun(pivot, documents, settings, source.budgetBytes) };
}

interface DistillState {
  /** The target that is being written. */
  readonly model: ModelId;
}

/** Job kind `distill`: a target checkpoint, with its adapter, in the library. */
export function createDistillKind(parts: TrainingParts): JobKind<"distill", DistillState> {
  const { source, library, records, tell } = parts;
  return {
    kind: "distill",
    resource: "gpu",
    async prepare(request) {
      const { plan } = await prepareTraining(parts, request);
      requireRoom(plan);
      if (plan.steps === 0) {
        throw new EngineError("usage", "There is nothing to learn in this dataset.");
      }
      return {
        title: `Distil ${request.name}`,
        recipe: null,
        durable: true,
        totalBytes: plan.steps * plan.tokensPerStep,
      };
    },
    async run({ name, ...request }, { id, state, save, signal, progress, modelsChanged }) {
      const done = { downloads: [], notes: [] };
      const earlier = state && (await library.list()).find((card) => card.id === state.model);
      if (earlier?.state === "complete") return { ...done, models: [earlier.id] };
      const { pivot, documents } = await prepareTraining(parts, request);
      const { settings } = request;
      const notes = recordTraining(records, id);
      let steps = 0;
      const result = await runTraining(
        {
          ...{ source, pivot, documents, settings, signal, store: notes.store },
          async onStart(heldOut, all) {
            steps = all;
            await notes.noteStart(heldOut, all);
          },
          async onPoint(point) {
            await notes.notePoint(point);
            tell({ type: "training", job: id, point });
            const label = `step ${point.step}${steps > 0 ? ` of ${steps}` : ""}`;
            const totalBytes = Math.max(steps, point.step) * settings.batchTokens;
            const doneBytes = point.step * settings.batchTokens;
            progress({ doneBytes, totalBytes, unit: "parts", label });
          },
        },
        async (trained) => {
          const { plan, trained: values } = await planResult(pivot, settings, trained, SHARD_BYTES);
          const begun = earlier
            ? { id: earlier.id, writer: await library.resume(earlier.id) }
            : await library.begin({
                ...{ name, origin: "train", byteLength: plan.byteLength },
                ...{ fingerprint: null, facts: null },
              });
          if (!earlier) await save({ model: begun.id });
          modelsChanged();
          await writeTarget(plan, values, begun.writer, {
            signal,
            progress: (doneBytes, label) =>
              progress({ doneBytes, totalBytes: plan.byteLength, label }),
          });
          return begun.id;
        },
      );
      await forgetTraining(records, id, { curve: false });
      return { ...done, models: [result] };
    },
    async clean(id, state) {
      await forgetTraining(records, id, { curve: true });
      const target = state && (await library.list()).find((card) => card.id === state.model);
      if (target?.state === "partial") await library.delete(target.id);
    },
  };
}
