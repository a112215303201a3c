import { join } from "node:path";
import type { EngineEvent } from "../engine/contract/index.ts";
import type { GpuProvider } from "../engine/gpu/device.ts";
import { assembleModelJobs, type ModelStores } from "../engine/modelJobs.ts";
import type { OpenLanguageText } from "../engine/runtime/language/languageFiles.ts";
import { factsInFile } from "../node/factFile.ts";
import { mapsInFolder } from "../node/mapFiles.ts";
import { nodeThreads } from "../node/threads.ts";

/** The page's jobs over a folder, which holds their state; their events are passed on. */
export function openFolderJobs(
  folder: Pick<ModelStores, "records" | "fusions"> & { readonly work: string },
  parts: Pick<ModelStores, "library" | "datasets"> & {
    readonly gpuProvider: GpuProvider;
    readonly openText: OpenLanguageText;
    tell?(event: EngineEvent): void;
  },
) {
  const { records, fusions, work } = folder;
  return assembleModelJobs({
    tell: () => undefined,
    ...parts,
    records,
    fusions,
    facts: factsInFile(join(work, "facts.json")),
    maps: mapsInFolder(),
    threads: nodeThreads(),
    noteSpeed: () => undefined, // a terminal's merge tells its speed itself
  }).kinds;
}
