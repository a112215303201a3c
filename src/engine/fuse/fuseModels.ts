import type { LibraryReader } from "../checkpoint/library/library.ts";
import type { FusionSettings, ModelId } from "../contract/index.ts";
import type { PreparedJob, RequestOf } from "../core/jobs/kind.ts";
import { findRunnable } from "../runtime/language/findRunnable.ts";
import type { LanguageParts } from "../runtime/language/generateText.ts";
import type { DatasetLibrary } from "../text/datasets/datasetLibrary.ts";
import { openDocumentTokenizer } from "./documents/tokenise.ts";
import { checkFuseRequest } from "./fuseRequest.ts";
import type { FusionModel } from "./stages/fuseStages.ts";

/** Library and tokenizers that a fusion reads from. */
export interface FuseInputParts extends Pick<LanguageParts, "openText"> {
  readonly library: Pick<LibraryReader, "open" | "card">;
  readonly datasets: Pick<DatasetLibrary, "open">;
}

/** Refuses a fusion that cannot run, from headers and small files. */
export async function prepareFusion(
  request: RequestOf<"fuse">,
  parts: FuseInputParts,
): Promise<PreparedJob> {
  const { pivot, sources, datasets, settings } = checkFuseRequest(request);
  const stored = await Promise.all(datasets.map((id) => parts.datasets.open(id)));
  const models = await openModels([pivot, ...sources], settings, parts);
  const bytes = stored.reduce(
    (sum, { card }) => sum + card.byteLength * Math.min(1, settings.rows / Math.max(1, card.rows)),
    0,
  );
  const others = models.slice(1).map(({ name }) => name);
  const from = others.length > 2 ? `${others.length} models` : others.join(" and ");
  return {
    title: `Fuse ${from === "" ? models[0]!.name : `${from} into ${models[0]!.name}`}`,
    recipe: null,
    durable: true,
    totalBytes: Math.round(bytes * (models.length + 1)),
  };
}

/** Models of a fusion, the pivot first. Errors: those of `findRunnable`, and of tokenizers. */
export async function openModels(
  ids: readonly ModelId[],
  settings: FusionSettings,
  { library, openText }: FuseInputParts,
): Promise<readonly FusionModel[]> {
  const models: FusionModel[] = [];
  for (const id of ids) {
    const [{ name }, checkpoint] = await Promise.all([library.card(id), library.open(id)]);
    const { contextLength } = findRunnable(checkpoint);
    const language = await openText(checkpoint);
    const tokenizer = language.tokenizer();
    models.push({
      id,
      name,
      tokenizer,
      contextLength,
      template: language.template,
      vocabSize: checkpoint.config?.vocabSize ?? null,
      reader: openDocumentTokenizer(tokenizer, { begins: begins(settings) }),
    });
  }
  return models;
}

/** Whether documents begin with a token of their own; in FuseLLM they do not. */
export const begins = ({ profile }: FusionSettings) => profile !== "fusellm";
