import { inputsOf } from "../checkpoint/inputFiles.ts";
import { beginResult, deletePartial, findResult } from "../checkpoint/library/jobResult.ts";
import type { LibraryReader, LibraryWriter } from "../checkpoint/library/library.ts";
import { writeCheckpoint } from "../checkpoint/writeCheckpoint.ts";
import { EngineError, type JobResult, type ModelId } from "../contract/index.ts";
import { sealUnchanged, watchInputs } from "../core/inputs.ts";
import type { JobContext, JobKind, RequestOf } from "../core/jobs/kind.ts";
import { mixtureDocuments } from "./documents.ts";
import { describeGates, type GateParts, makeGates } from "./gates.ts";
import { type PlannedMixture, planMixture } from "./planMixture.ts";

export interface MixtureParts extends GateParts {
  readonly library: LibraryReader & Pick<LibraryWriter, "begin" | "resume">;
}

/** Saved state of a mixture: library ids of the result, and of the models when it began. */
export interface MixtureState {
  readonly model: ModelId;
  readonly inputs: readonly ModelId[];
}

type Request = Omit<RequestOf<"mixture">, "kind">;

/** Writes a mixture into the library, or goes on with the one that `state` names. */
export async function mixInLibrary(
  parts: MixtureParts,
  request: Request,
  context: JobContext<MixtureState>,
): Promise<JobResult> {
  const { library } = parts;
  const { state, save, modelsChanged } = context;
  const plan = await planMixture(library, request);
  const earlier = await findResult(library, state);
  if (earlier?.state === "complete") return { models: [earlier.id], downloads: [], notes: [] };
  if (earlier && state?.inputs.join() !== plan.ids.join()) {
    throw new EngineError(
      "changed",
      "Since this mixture was begun, another model got one of its models' names. Delete this job and start anew.",
    );
  }
  const { name } = request;
  const start = { name, origin: "merge", byteLength: plan.card.writeBytes } as const;
  const note = (model: ModelId) => save({ model, inputs: plan.ids });
  const begun = await beginResult(library, earlier, start, note);
  modelsChanged();
  try {
    const { base, experts, shared } = plan.models;
    const inputs = await watchInputs(inputsOf([base, ...experts, ...shared]));
    const notes = await writeMixture(
      parts,
      plan,
      request,
      sealUnchanged(begun.writer, inputs),
      context,
    );
    return { models: [begun.id], downloads: [], notes: [...plan.card.notes, ...notes] };
  } finally {
    modelsChanged();
  }
}

/** Makes the routers and writes the files; returns what to know about the routers. */
async function writeMixture(
  parts: MixtureParts,
  plan: PlannedMixture,
  { name, yaml }: Request,
  writer: Awaited<ReturnType<LibraryWriter["resume"]>>,
  { signal, progress }: JobContext<MixtureState>,
): Promise<readonly string[]> {
  const { writeBytes: totalBytes } = plan.card;
  const gates = await makeGates(parts, plan, {
    signal,
    progress: (done, total) =>
      progress({ doneBytes: 0, totalBytes, label: `prompt ${done} of ${total}` }),
  });
  const notes = describeGates(gates, plan.config.experts.length + plan.config.sharedExperts.length);
  const tensors = plan.tensors(async (layer) => gates[layer]!);
  const sideFiles = await mixtureDocuments(plan, { name, yaml, notes });
  await writeCheckpoint(tensors, { shards: plan.shards, sideFiles }, writer, {
    signal,
    progress: (doneBytes, label) => progress({ doneBytes, totalBytes, label }),
  });
  return notes;
}

/** Job kind `mixture`: dense models as the experts of one, by a config of mergekit-moe. */
export function createMixtureKind(
  parts: MixtureParts & { readonly library: LibraryWriter },
): JobKind<"mixture", MixtureState> {
  const { library } = parts;
  return {
    kind: "mixture",
    resource: "gpu",
    async prepare(request) {
      const { card } = await planMixture(library, request);
      return {
        title: `Mix ${request.name}`,
        recipe: null,
        durable: true,
        totalBytes: card.writeBytes,
      };
    },
    run: (request, context) => mixInLibrary(parts, request, context),
    clean: (_, state) => deletePartial(library, state),
  };
}
