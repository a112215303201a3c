import { type CallOptions, type Engine, EngineError } from "../../contract/index.ts";
import type { GpuProvider } from "../../gpu/device.ts";
import type { DatasetLibrary } from "../../text/datasets/datasetLibrary.ts";
import { generateText, type LanguageParts } from "./generateText.ts";
import { describeLanguage } from "./languageFiles.ts";
import { readText } from "./readText.ts";

/** WebGPU's default limit of a storage buffer binding. */
const LEAST_BINDING_BYTES = 2 ** 27;

type LanguageQueries = Pick<
  Engine,
  "describeLanguage" | "generate" | "readText" | "listDatasets" | "deleteDataset"
>;

/** The engine's queries about running models. */
export function createLanguageQueries(
  parts: LanguageParts & {
    readonly gpuProvider: GpuProvider;
    readonly datasets: DatasetLibrary;
    /** Notifies watchers that the library changed. */
    changed(): void;
  },
): LanguageQueries {
  const { gpuProvider, datasets } = parts;
  return {
    async describeLanguage(model) {
      // Without a GPU, the limits that every device has.
      const gpu = await gpuProvider.get().catch(() => null);
      const limit = gpu?.device.limits.maxStorageBufferBindingSize;
      const space = {
        freeBytes: gpuProvider.budgetBytes,
        bindingBytes: limit ?? LEAST_BINDING_BYTES,
      };
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

/** Turns whatever an aborted signal throws into `cancelled`. */
async function namingAborts<T>({ signal }: CallOptions<never>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new EngineError("cancelled", "Cancelled.", {}, error);
  }
}
