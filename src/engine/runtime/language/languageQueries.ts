import { type CallOptions, type Engine, EngineError } from "../../contract/index.ts";
import type { GpuSource } from "../../gpu/device.ts";
import type { DatasetLibrary } from "../../text/datasets/datasetLibrary.ts";
import { generateText, type LanguageParts } from "./generateText.ts";
import { describeLanguage } from "./languageFiles.ts";
import { readText } from "./readText.ts";

/** WebGPU's default limit of a storage buffer's binding. */
const LEAST_BINDING_BYTES = 2 ** 27;

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
    async describeLanguage(model) {
      // Without a GPU its limits are those that every device has.
      const gpu = await source.get().catch(() => null);
      const limit = gpu?.device.limits.maxStorageBufferBindingSize;
      const space = { freeBytes: source.budgetBytes, bindingBytes: limit ?? LEAST_BINDING_BYTES };
      return describeLanguage(model, { ...parts, space });
    },
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
