import { EngineError } from "../../contract/index.ts";
import { hashPlain } from "../../storage/hash.ts";
import { encodeRepresentation } from "../dataset/codec.ts";
import { readRecords } from "../dataset/recordStore.ts";
import { represent } from "../represent/represent.ts";
import { bytesOf, decodeDocument, type FusionModel, type StageParts } from "./fuseStages.ts";

/** Raised whenever the same model would say something else about the same documents. */
const VERSION = 1;

/**
 * The folder of what a model says about some documents: the same for the same model, documents and
 * entries, so that another fusion finds it.
 */
export async function representationFolder(
  model: FusionModel,
  documentsHash: string,
  { topK, begins }: { readonly topK: number; readonly begins: boolean },
): Promise<string> {
  const what = [VERSION, model.id, model.tokenizer.vocabSize, documentsHash, topK, begins];
  return `representation/${(await hashPlain(what)).slice(0, 32)}`;
}

/**
 * Represents all documents with one model, one record a document; goes on after those that are there.
 * Gives the rows in which a column that is no token was among the likeliest. `busy` where another tab
 * writes the same folder.
 */
export async function representAll(
  model: FusionModel,
  documents: { readonly folder: string; readonly count: number },
  folder: string,
  parts: StageParts,
): Promise<number> {
  const unlock = await parts.locks?.take(`fusestudio ${folder}`);
  if (unlock === null) {
    const message = `${model.name} is reading the same texts in another tab. Resume this when it has.`;
    throw new EngineError("busy", message, { model: model.name });
  }
  try {
    const done = await parts.records.count(folder);
    return done < documents.count ? await goOn(model, documents, { folder, done }, parts) : 0;
  } finally {
    unlock?.();
  }
}

async function goOn(
  model: FusionModel,
  documents: { readonly folder: string; readonly count: number },
  { folder, done }: { readonly folder: string; readonly done: number },
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
