import { type CallOptions, type Engine, EngineError } from "../contract/index.ts";
import type { GpuSource } from "../gpu/device.ts";
import type { DatasetLibrary } from "../model/datasets.ts";
import { generateText, type LanguageParts } from "./generateText.ts";
import { describeLanguage } from "./languageFiles.ts";
import { readText } from "./readText.ts";

type LanguageFace = Pick<
  Engine,
  "describeLanguage" | "generate" | "readText" | "listDatasets" | "deleteDataset"
>;

/** The part of the engine's face that is about running models. */
export function createLanguageFace(
  parts: LanguageParts & {
    readonly source: GpuSource;
    readonly datasets: DatasetLibrary;
    /** Tells the watchers that the library changed. */
    changed(): void;
  },
): LanguageFace {
  const { source, datasets } = parts;
  return {
    describeLanguage: (model) =>
      describeLanguage(model, { ...parts, budgetBytes: source.budgetBytes }),
    generate: (request, options = {}) =>
      namingAborts(options, () => generateText(request, parts, options)),
    readText: (request, options = {}) =>
      namingAborts(options, () => readText(request, parts, options)),
    listDatasets: () => datasets.list(),
    async deleteDataset(id) {
      await datasets.delete(id);
      parts.changed();
    },
  };
}

/** What an aborted signal throws may be anything; callers get `cancelled`. */
async function namingAborts<T>({ signal }: CallOptions<never>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new EngineError("cancelled", "Cancelled.", {}, error);
  }
}
