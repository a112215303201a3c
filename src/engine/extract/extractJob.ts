import type { Checkpoint } from "../checkpoint/checkpoint.ts";
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
  EXTRACTION_SETTINGS,
  type ExtractionRequest,
  type ExtractionSettings,
  type ModelId,
} from "../contract/index.ts";
import { checkSettings } from "../core/checkSettings.ts";
import { sealUnchanged, watchInputs } from "../core/inputs.ts";
import type { JobContext, JobKind } from "../core/jobs/kind.ts";
import type { RecordStore } from "../fuse/dataset/recordStore.ts";
import type { GpuProvider } from "../gpu/device.ts";
import { goOnAfterLosses } from "../gpu/lostDevice.ts";
import { leadingSvd } from "../spectrum/leadingSvd.ts";
import { planAdapterFolder, scaleOf } from "./adapterFolder.ts";
import { differs } from "./differs.ts";
import { chooseRank, factorBytes, factorsOf, spectrumOf } from "./factors.ts";
import { type Outcome, type OutcomeStore, storeOutcomes } from "./outcomes.ts";
import { type ExtractionPlan, type Item, planExtraction } from "./plan.ts";
import { writeAdapter } from "./writeAdapter.ts";

export interface ExtractionParts {
  readonly gpuProvider: GpuProvider;
  readonly library: LibraryReader & LibraryWriter;
  readonly records: RecordStore;
}

/** Opens both models and plans the extraction; `mismatch` and `usage` as `planExtraction`. */
async function prepareExtraction(library: Pick<LibraryReader, "open">, request: ExtractionRequest) {
  const settings = checkSettings(EXTRACTION_SETTINGS, request.settings, {
    profile: "studio",
    of: "The extraction",
  });
  if (request.base === request.model) {
    throw new EngineError(
      "usage",
      "Base and model are the same: choose the model that learned something beyond its base.",
    );
  }
  const [base, model] = [await library.open(request.base), await library.open(request.model)];
  const plan = planExtraction(base, model, settings);
  if (!plan.items.some(({ kind }) => kind === "factors")) {
    throw new EngineError(
      "usage",
      `No matrix of ${model.name} is chosen: the names that are asked for and left out take all of them.`,
      { model: model.name },
    );
  }
  return { base, model, plan, settings };
}

const bytesOf = (item: Item) => {
  const pairs =
    item.kind === "whole"
      ? [...item.tensors.values()]
      : [item.kind === "bias" ? item.bias : item.weight];
  return pairs.reduce((sum, { model }) => sum + model.byteLength, 0);
};

/** Job kind `extract`: makes an adapter of what a model has beyond its base. */
export function createExtractKind(parts: ExtractionParts): JobKind<"extract", ResultState> {
  const { library, records } = parts;
  return {
    kind: "extract",
    resource: "gpu",
    async prepare(request) {
      const { plan } = await prepareExtraction(library, request);
      const totalBytes = plan.items.reduce((sum, item) => sum + bytesOf(item), 0);
      return { title: `Extract ${request.name}`, recipe: null, durable: true, totalBytes };
    },
    async run({ name, ...request }, context) {
      const { id, state, signal } = context;
      if (!state) await context.save({ model: null }); // outcomes are worth keeping from the first on
      const earlier = await findResult(library, state);
      const outcomes = storeOutcomes(records, id);
      if (earlier?.state === "complete") {
        await outcomes.forget();
        return { models: [earlier.id], downloads: [], notes: [] };
      }
      const prepared = await prepareExtraction(library, request);
      const { base, model, plan, settings } = prepared;
      const inputs = await watchInputs(inputsOf([base, model]));
      let examined = 0;
      const onExamined = (count: number) => {
        examined = count;
      };
      await goOnAfterLosses(
        () => examineItems(parts.gpuProvider, prepared, outcomes, context, onExamined),
        () => examined,
      );
      const told = await outcomes.list();
      requireChange(prepared, told);
      const { folder, extraction } = await planAdapterFolder({ base, model }, plan, told, {
        name,
        settings,
      });
      const start = { name, origin: "extract", byteLength: folder.byteLength } as const;
      const note = (model: ModelId) => context.save({ model });
      const begun = await beginResult(library, earlier, start, note);
      context.modelsChanged();
      await writeAdapter(folder, outcomes, sealUnchanged(begun.writer, inputs), signal);
      await outcomes.forget();
      return { models: [begun.id], downloads: [], notes: extraction.notes };
    },
    async clean(id, state) {
      await storeOutcomes(records, id).forget();
      await deletePartial(library, state);
    },
  };
}

/** Examines the items that have no outcome yet, one after the other. */
async function examineItems(
  gpuProvider: GpuProvider,
  { plan, settings }: { readonly plan: ExtractionPlan; readonly settings: ExtractionSettings },
  outcomes: OutcomeStore,
  { signal, progress }: Pick<JobContext<unknown>, "signal" | "progress">,
  onExamined: (count: number) => void,
): Promise<void> {
  const { items } = plan;
  const totalBytes = items.reduce((sum, item) => sum + bytesOf(item), 0);
  const first = await outcomes.count();
  let doneBytes = items.slice(0, first).reduce((sum, item) => sum + bytesOf(item), 0);
  for (const [index, item] of items.entries()) {
    if (index < first) continue;
    signal.throwIfAborted();
    progress({ doneBytes, totalBytes, label: item.module });
    const { outcome, factors } = await examineItem(gpuProvider, item, settings, signal);
    await outcomes.append(outcome, factors);
    onExamined(index + 1);
    doneBytes += bytesOf(item);
    progress({ doneBytes, totalBytes, label: item.module });
  }
}

const UNCHANGED = { outcome: { changed: false, spectrum: null }, factors: new Uint8Array(0) };

async function examineItem(
  gpuProvider: GpuProvider,
  item: Item,
  settings: ExtractionSettings,
  signal: AbortSignal,
): Promise<{ readonly outcome: Outcome; readonly factors: Uint8Array<ArrayBuffer> }> {
  if (item.kind !== "factors") {
    const pairs = item.kind === "bias" ? [item.bias] : item.tensors.values();
    for (const pair of pairs) {
      if (await differs(pair, signal))
        return { ...UNCHANGED, outcome: { changed: true, spectrum: null } };
    }
    return UNCHANGED;
  }
  const { module, weight, as } = item;
  const [rows = 0, columns = 0] = weight.model.shape;
  const source = { name: weight.model.name, rows, columns, ...weight };
  const { rank: count, seed, distribute } = settings;
  const svd = await leadingSvd(await gpuProvider.get(), source, { count, seed, signal });
  const rank = chooseRank(svd, settings);
  if (rank === 0) return UNCHANGED;
  const factors = factorsOf(svd, { rank, scale: scaleOf(settings), as, distribute });
  const spectrum = spectrumOf(module, [rows, columns], svd, rank);
  return { outcome: { changed: true, spectrum }, factors: factorBytes(factors, settings.dtype) };
}

function requireChange(
  { base, model }: { readonly base: Checkpoint; readonly model: Checkpoint },
  outcomes: readonly Outcome[],
): void {
  if (outcomes.some(({ spectrum }) => spectrum !== null)) return;
  throw new EngineError(
    "usage",
    `No matrix of ${model.name} that was chosen differs from ${base.name}: there is nothing to extract.`,
    { model: model.name, base: base.name },
  );
}
