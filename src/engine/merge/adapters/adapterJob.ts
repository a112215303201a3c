import { isAdapter, readAdapter } from "../../checkpoint/adapters/adapter.ts";
import { copyFile } from "../../checkpoint/copy.ts";
import { inputsOf } from "../../checkpoint/inputFiles.ts";
import { beginResult, deletePartial, findResult } from "../../checkpoint/library/jobResult.ts";
import type { LibraryReader, LibraryWriter } from "../../checkpoint/library/library.ts";
import {
  ADAPTER_METHODS,
  type AdapterMergeRequest,
  EngineError,
  type JobResult,
  type ModelId,
} from "../../contract/index.ts";
import type { FileTree } from "../../core/bytes.ts";
import { sealUnchanged, watchInputs } from "../../core/inputs.ts";
import type { JobContext, JobKind } from "../../core/jobs/kind.ts";
import { adapterTree } from "./adapterFiles.ts";
import { mergeAdapters } from "./mergedAdapter.ts";
import { mergedConfig } from "./mergedConfig.ts";

type Library = LibraryReader & Pick<LibraryWriter, "begin" | "resume">;

/** Saved state of a merge of adapters. */
export interface AdapterMergeState {
  /** Library id of the result. */
  readonly model: ModelId;
}

/**
 * The files of the merged adapter, computed as they are read, in float64. Errors: `usage` for wrong
 * settings, `mismatch` for adapters that do not fit together, those of `readAdapter`.
 */
export async function planAdapterMerge(
  library: LibraryReader,
  request: AdapterMergeRequest,
): Promise<{
  readonly files: FileTree;
  readonly byteLength: number;
  readonly inputs: ReturnType<typeof inputsOf>;
}> {
  const method = ADAPTER_METHODS.find(({ id }) => id === request.method);
  if (!method) {
    const known = ADAPTER_METHODS.map(({ id }) => id).join(", ");
    throw new EngineError(
      "usage",
      `There is no way "${request.method}" to merge adapters. There are: ${known}.`,
      {
        method: request.method,
      },
    );
  }
  checkNumbers(request);
  const opened = [];
  for (const { model, weight } of request.adapters) {
    const checkpoint = await library.open(model);
    if (!isAdapter(checkpoint)) {
      throw new EngineError(
        "mismatch",
        `${checkpoint.name} is a whole model, no adapter: a recipe merges models.`,
        { model: checkpoint.name },
      );
    }
    opened.push({ checkpoint, adapter: readAdapter(checkpoint), weight });
  }
  const merged = mergeAdapters(opened, method, request);
  const config = mergedConfig(
    opened.map(({ adapter }) => adapter),
    merged,
  );
  const files = adapterTree(config, merged.tensors);
  const byteLength = [...files.values()].reduce((sum, source) => sum + source.byteLength, 0);
  return { files, byteLength, inputs: inputsOf(opened.map(({ checkpoint }) => checkpoint)) };
}

function checkNumbers({ adapters, density, rank }: AdapterMergeRequest): void {
  if (adapters.length === 0) throw new EngineError("usage", "Name at least one adapter.");
  const odd = adapters.find(({ weight }) => !Number.isFinite(weight));
  if (odd) throw new EngineError("usage", `A weight is ${odd.weight}; it must be a number.`);
  if (!(density >= 0 && density <= 1)) {
    throw new EngineError("usage", `The density is ${density}; it must be from 0 to 1.`, {
      density,
    });
  }
  if (rank !== null && !(Number.isSafeInteger(rank) && rank >= 1)) {
    throw new EngineError(
      "usage",
      `The rank is ${rank}; it must be a whole number of at least 1.`,
      { rank },
    );
  }
}

/** Writes the merged adapter into the library, or goes on with the one that `state` names. */
export async function mergeAdaptersInLibrary(
  library: Library,
  { name, ...request }: AdapterMergeRequest & { readonly name: string },
  { signal, progress, save, state, modelsChanged }: JobContext<AdapterMergeState>,
): Promise<JobResult> {
  const { files, byteLength, inputs } = await planAdapterMerge(library, request);
  const earlier = await findResult(library, state);
  if (earlier?.state === "complete") return { models: [earlier.id], downloads: [], notes: [] };
  const watched = await watchInputs(inputs);
  const start = { name, origin: "merge", byteLength } as const;
  const begun = await beginResult(library, earlier, start, (model) => save({ model }));
  modelsChanged();
  const writer = sealUnchanged(begun.writer, watched);
  try {
    let before = 0;
    for (const [path, source] of files) {
      const onBytes = (doneBytes: number) =>
        progress({ doneBytes: before + doneBytes, totalBytes: byteLength, label: path });
      await copyFile(source, await writer.open(path, source.byteLength), { signal, onBytes });
      before += source.byteLength;
    }
    await writer.seal();
  } finally {
    modelsChanged();
  }
  return { models: [begun.id], downloads: [], notes: [] };
}

/** Job kind `merge-adapters`: several adapters of one base into one. */
export function createAdapterMergeKind(
  library: Library & LibraryWriter,
): JobKind<"merge-adapters", AdapterMergeState> {
  return {
    kind: "merge-adapters",
    resource: "import",
    async prepare({ name, ...request }) {
      const { byteLength } = await planAdapterMerge(library, request);
      return {
        title: `Merge adapters into ${name}`,
        recipe: null,
        durable: true,
        totalBytes: byteLength,
      };
    },
    run: (request, context) => mergeAdaptersInLibrary(library, request, context),
    clean: (_, state) => deletePartial(library, state),
  };
}
