import { EngineError } from "../../contract/index.ts";
import { hashPlain } from "../../storage/hash.ts";
import { encodeRepresentation } from "../dataset/codec.ts";
import { readRecords } from "../dataset/recordStore.ts";
import { type LogitScale, represent } from "../represent/represent.ts";
import { bytesOf, decodeDocument, type FusionModel, type StageParts } from "./fuseStages.ts";

/** A model with the folder and the scale of its representations. */
export interface RepresentedModel {
  readonly model: FusionModel;
  readonly folder: string;
  readonly scale: LogitScale;
}

/** Raised whenever the same model would give other representations of the same documents. */
const VERSION = 1;

/**
 * Folder of a model's representations: the same for equal model, documents and number of entries,
 * so that another fusion finds it.
 */
export async function representationFolder(
  model: FusionModel,
  documentsHash: string,
  {
    topK,
    begins,
    scale,
  }: { readonly topK: number; readonly begins: boolean; readonly scale: LogitScale },
): Promise<string> {
  const { id, tokenizer } = model;
  const what = [VERSION, id, tokenizer.vocabSize, documentsHash, topK, begins];
  if (scale !== "raw") what.push(scale); // raw logits lie where they did when there was nothing else
  return `representation/${(await hashPlain(what)).slice(0, 32)}`;
}

/**
 * Represents all documents with one model, one record per document, from where an earlier run
 * stopped. Returns the number of rows whose likeliest column is no token. `busy` where another tab
 * writes the same folder.
 */
export async function representAll(
  member: RepresentedModel,
  documents: { readonly folder: string; readonly count: number },
  parts: StageParts,
): Promise<number> {
  const { model, folder } = member;
  const unlock = await parts.locks?.take(`fusestudio ${folder}`);
  if (unlock === null) {
    const message = `${model.name} is reading the same texts in another tab. Resume this when it has.`;
    throw new EngineError("busy", message, { model: model.name });
  }
  try {
    const done = await parts.records.count(folder);
    return done < documents.count ? await goOn(member, documents, done, parts) : 0;
  } finally {
    unlock?.();
  }
}

async function goOn(
  { model, folder, scale }: RepresentedModel,
  documents: { readonly folder: string; readonly count: number },
  done: number,
  { records, modelCache, settings, signal, progress }: StageParts,
): Promise<number> {
  let bytes = 0;
  const onLoading = (_done: number, _total: number, label: string) =>
    progress(bytes, `Loading ${model.name}: ${label}`);
  const options = { tokens: Math.min(settings.maxTokens, model.contextLength), signal, onLoading };
  return modelCache.use(model.id, options, async (open) => {
    let at = 0;
    let paddingOnTop = 0;
    for await (const record of readRecords(records, documents.folder)) {
      signal.throwIfAborted();
      const document = decodeDocument(record);
      if (at++ < done) {
        bytes += bytesOf(document);
        continue;
      }
      progress(bytes, `${model.name} reads document ${at} of ${documents.count}`);
      const found = await represent(open, model.reader.tokenise(document.pieces), {
        k: settings.topK,
        scale,
        tokens: model.tokenizer.vocabSize,
        signal,
      });
      await records.append(folder, [encodeRepresentation(found.said)]);
      paddingOnTop += found.paddingOnTop;
      bytes += bytesOf(document);
    }
    progress(bytes, `${model.name} has read all documents`);
    return paddingOnTop;
  });
}
