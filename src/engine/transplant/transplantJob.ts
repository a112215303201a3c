import type { CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { planShards, type ShardPlan } from "../checkpoint/formats/safetensors/shards.ts";
import { inputsOf } from "../checkpoint/inputFiles.ts";
import {
  beginResult,
  deletePartial,
  findResult,
  type ResultState,
} from "../checkpoint/library/jobResult.ts";
import type { LibraryReader, LibraryWriter } from "../checkpoint/library/library.ts";
import {
  EngineError,
  type ModelId,
  SUBWORD_METHODS,
  TRANSPLANT_METHODS,
  type TransplantRequest,
  type TransplantSettings,
} from "../contract/index.ts";
import { bytesInMemory, type FileTree } from "../core/bytes.ts";
import { sealUnchanged, watchInputs } from "../core/inputs.ts";
import type { JobContext, JobKind } from "../core/jobs/kind.ts";
import type { RecordStore } from "../fuse/dataset/recordStore.ts";
import type { GpuProvider } from "../gpu/device.ts";
import { goOnAfterLosses } from "../gpu/lostDevice.ts";
import { STUDIO } from "../merge/run/version.ts";
import { openTokenizer } from "../text/tokenizers/tokenizer.ts";
import { BATCH_TOKENS, openApproximation } from "./approximate.ts";
import { makeDocuments, sayMethod } from "./documents.ts";
import { encodeRows, foldersOf, recordsOf, viewMatrix, viewRows } from "./madeRows.ts";
import { planTransplant, type TransplantPlan } from "./plan.ts";
import { writeModel } from "./writeModel.ts";

export interface TransplantParts {
  readonly gpuProvider: GpuProvider;
  readonly library: LibraryReader & LibraryWriter;
  readonly records: RecordStore;
}

/** Largest file of the result's weights. */
const SHARD_BYTES = 5e9;

function checkSettings({ method, k, subword }: TransplantSettings): void {
  const refuse = (sentence: string) => {
    throw new EngineError("usage", sentence);
  };
  if (!TRANSPLANT_METHODS.includes(method)) {
    refuse(`The method is one of ${TRANSPLANT_METHODS.join(", ")}, not ${method}.`);
  }
  if (!SUBWORD_METHODS.includes(subword)) {
    refuse(`The subword method is one of ${SUBWORD_METHODS.join(", ")}, not ${subword}.`);
  }
  if (!Number.isInteger(k) || k < 1 || k > 1024) refuse(`k is a whole number from 1 to 1024.`);
}

async function prepareTransplant(
  library: Pick<LibraryReader, "open">,
  { model, donor, settings }: TransplantRequest,
): Promise<TransplantPlan> {
  checkSettings(settings);
  return planTransplant(await library.open(model), await library.open(donor), settings);
}

/** The result's tensors, new rows from where they were recorded, and their place in its files. */
function openResult(
  { model, matrices, vectors }: TransplantPlan,
  records: RecordStore,
  id: string,
) {
  const views = new Map(model.tensors);
  let first = 0;
  for (const matrix of matrices) {
    views.set(matrix.own.name, viewMatrix(matrix, records, foldersOf(id), first));
    first += recordsOf(matrix);
  }
  for (const { own, match } of vectors) views.set(own.name, viewRows(own, match, null));
  const shards = planShards([...views.values()], {
    maxBytes: SHARD_BYTES,
    metadata: { tool: `${STUDIO.name} ${STUDIO.version}`, transplant: "tokenizer" },
  });
  return { views, shards };
}

const totalOf = ({ files }: ShardPlan) => files.reduce((sum, file) => sum + file.byteLength, 0);

/** Job kind `transplant`: gives a model the tokenizer of another. */
export function createTransplantKind(parts: TransplantParts): JobKind<"transplant", ResultState> {
  const { library, records } = parts;
  return {
    kind: "transplant",
    resource: "gpu",
    async prepare(request) {
      const plan = await prepareTransplant(library, request);
      const totalBytes = totalOf(openResult(plan, records, "planned").shards);
      return { title: `Transplant ${request.name}`, recipe: null, durable: true, totalBytes };
    },
    async run({ name, ...request }, context) {
      const { id, state } = context;
      const earlier = await findResult(library, state);
      if (earlier?.state === "complete") {
        await records.deleteFolder(foldersOf(id));
        return { models: [earlier.id], downloads: [], notes: [] };
      }
      const plan = await prepareTransplant(library, request);
      const inputs = await watchInputs(inputsOf([plan.model, plan.donor]));
      const { views, shards } = openResult(plan, records, id);
      let made = 0;
      await goOnAfterLosses(
        () =>
          makeRows(plan, parts, context, totalOf(shards), (count) => {
            made = count;
          }),
        () => made,
      );
      const start = { name, origin: "transplant", byteLength: totalOf(shards) } as const;
      const note = (model: ModelId) => context.save({ model });
      const begun = await beginResult(library, earlier, start, note);
      context.modelsChanged();
      await writeResult(
        plan,
        { views, shards },
        sealUnchanged(begun.writer, inputs),
        name,
        context,
      );
      await records.deleteFolder(foldersOf(id));
      const { record } = plan;
      const notes = [`${record.shared} tokens keep the model's rows, ${sayMethod(record)}.`];
      return { models: [begun.id], downloads: [], notes };
    },
    async clean(id, state) {
      await records.deleteFolder(foldersOf(id));
      await deletePartial(library, state);
    },
  };
}

async function writeResult(
  plan: TransplantPlan,
  result: {
    readonly views: ReadonlyMap<string, CheckpointTensor>;
    readonly shards: ShardPlan;
  },
  writer: Parameters<typeof writeModel>[3],
  name: string,
  { signal, progress }: Pick<JobContext<unknown>, "signal" | "progress">,
): Promise<void> {
  const { views, shards } = result;
  const documents: FileTree = await makeDocuments(plan, name);
  const index = new TextEncoder().encode(shards.index ?? "");
  const beside = new Map(documents);
  if (shards.index !== null) beside.set("model.safetensors.index.json", bytesInMemory(index));
  const totalBytes = totalOf(shards);
  await writeModel(shards, views, beside, writer, {
    signal,
    progress: (doneBytes) => progress({ doneBytes, totalBytes, label: "weights" }),
  });
}

/** Makes the rows that are not recorded yet, batch after batch. */
async function makeRows(
  { model, matrices, settings }: TransplantPlan,
  { gpuProvider, records }: TransplantParts,
  { id, signal, progress }: Pick<JobContext<unknown>, "id" | "signal" | "progress">,
  totalBytes: number,
  onMade: (count: number) => void,
): Promise<void> {
  const folder = foldersOf(id);
  const done = await records.count(folder);
  const needs = {
    settings,
    gpu: () => gpuProvider.get(),
    tokenizer: async () => (await openTokenizer(model.files))!,
  };
  const total = matrices.reduce((sum, { match }) => sum + match.added.length, 0);
  let batch = 0;
  let count = 0;
  for (const matrix of matrices) {
    const { added } = matrix.match;
    if (batch + recordsOf(matrix) <= done) {
      batch += recordsOf(matrix);
      count += added.length;
      continue;
    }
    const approximation = await openApproximation(matrix, needs);
    try {
      for (let first = 0; first < added.length; first += BATCH_TOKENS, batch++) {
        const many = Math.min(BATCH_TOKENS, added.length - first);
        count += many;
        if (batch < done) continue;
        signal.throwIfAborted();
        const rows = await approximation.rows(first, many);
        await records.append(folder, [encodeRows(rows, matrix)]);
        onMade(batch + 1);
        const label = `${matrix.own.name}: ${count} of ${total} rows`;
        progress({ doneBytes: 0, totalBytes, label });
      }
    } finally {
      approximation.release();
    }
  }
}
