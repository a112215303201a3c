import { EngineError, type ModelId } from "../../contract/index.ts";
import type { ByteSource, FileTree, FileTreeWriter } from "../../core/bytes.ts";
import { watchInputs } from "../../core/inputs.ts";
import type { JobContext, JobKind, RequestOf } from "../../core/jobs/kind.ts";
import type { Locks } from "../../core/jobs/locks.ts";
import { joinRefusals } from "../../core/refusals.ts";
import { sourceFromBlob } from "../../storage/blob.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { MAX_COMPANION_BYTES } from "../companions.ts";
import { copyFile } from "../copy.ts";
import { isWeightFile } from "../formatRegistry.ts";
import { describeFiles } from "../notModels.ts";
import { openCheckpoint } from "../open.ts";
import { listSome } from "../smallFile.ts";
import { isTrainingState } from "../trainingState.ts";
import { describeCheckpoint } from "./databaseLibrary.ts";
import { type CheckpointFolder, listFolders } from "./folders.ts";
import type { Library } from "./library.ts";

/** Model of each finished folder, by the folder's index. */
type ImportState = Readonly<Record<number, ModelId>>;

interface Folder {
  readonly name: string;
  readonly files: FileTree;
  readonly byteLength: number;
}

/** Errors that stop the whole import; others only concern one folder. */
const STOPS = new Set(["quota", "cancelled", "permission", "internal"]);

/**
 * Job kind `import`: streams dropped folders into the library; headers are checked before a byte is
 * stored.
 */
export function importJob(parts: {
  readonly library: Library;
  readonly locks: Locks;
}): JobKind<"import", ImportState> {
  return {
    kind: "import",
    resource: "import",
    async prepare({ files }) {
      const folders = listFolders(files.map(({ path }) => path));
      const [first] = folders;
      if (!first) throw nothingToImport(files.map(({ path }) => path));
      const title =
        folders.length === 1 ? `Import ${first.name}` : `Import ${folders.length} models`;
      const totalBytes = folders.reduce((sum, each) => sum + openFolder(each, files).byteLength, 0);
      return { title, recipe: null, durable: false, totalBytes };
    },
    async run({ files }, context) {
      const folders = listFolders(files.map(({ path }) => path)).map((each) =>
        openFolder(each, files),
      );
      const totalBytes = folders.reduce((sum, { byteLength }) => sum + byteLength, 0);
      const state: Record<number, ModelId> = { ...context.state };
      const notes: string[] = [];
      const refusals: EngineError[] = [];
      let before = 0;
      for (const [number, folder] of folders.entries()) {
        const onBytes = (doneBytes: number, label: string) =>
          context.progress({ doneBytes: before + doneBytes, totalBytes, label });
        if (state[number] === undefined) {
          try {
            const stored = await importFolder(folder, parts, context, onBytes);
            state[number] = stored.model;
            notes.push(...stored.notes);
            await context.save(state);
          } catch (error) {
            if (!(error instanceof EngineError) || STOPS.has(error.code)) throw error;
            refusals.push(error);
            notes.push(`${folder.name} was left out (${error.code}): ${error.message}`);
          }
        }
        before += folder.byteLength;
      }
      const models = Object.values(state);
      if (refusals.length > 0 && models.length === 0) {
        throw joinRefusals(refusals, `None of the ${refusals.length} models could be imported.`);
      }
      return { models: [...new Set(models)], downloads: [], notes };
    },
  };
}

function openFolder(
  { name, files }: CheckpointFolder,
  dropped: RequestOf<"import">["files"],
): Folder {
  const byPath = new Map(dropped.map(({ path, file }) => [path, file]));
  const tree = new Map<string, ByteSource>();
  for (const { path, name: inside } of files) {
    tree.set(inside, sourceFromBlob(byPath.get(path) as File, path));
  }
  return { name, files: tree, byteLength: sum(tree) };
}

const megabytes = (bytes: number) =>
  (bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });

const sum = (files: FileTree) =>
  [...files.values()].reduce((total, { byteLength }) => total + byteLength, 0);

interface Stored {
  readonly model: ModelId;
  readonly notes: readonly string[];
}

async function importFolder(
  folder: Folder,
  { library, locks }: { readonly library: Library; readonly locks: Locks },
  { signal, modelsChanged }: JobContext<ImportState>,
  onBytes: (doneBytes: number, label: string) => void,
): Promise<Stored> {
  onBytes(0, folder.name);
  const checkpoint = await openCheckpoint(folder.files, folder.name);
  const { kept, leftOut } = chooseFiles(checkpoint);
  const notes = leftOut.length > 0 ? [`${folder.name}: not stored, ${listSome(leftOut)}.`] : [];
  const fingerprint = fingerprintOf(folder.name, kept);
  const inputs = await watchInputs(kept);

  const alike = await library.findByFingerprint(fingerprint);
  for (const { id, name } of alike.filter(({ state }) => state === "complete")) {
    onBytes(0, `Comparing ${folder.name} with ${name}`);
    if (await holdsAll(library, id, kept, signal)) {
      return { model: id, notes: [`${name} is in the library already; nothing was stored twice.`] };
    }
  }

  const half = alike.find(({ state }) => state === "partial");
  const { id, writer } = half
    ? { id: half.id, writer: await library.resume(half.id) }
    : await library.begin({
        name: folder.name,
        origin: "import",
        byteLength: sum(kept),
        fingerprint,
        facts: describeCheckpoint(checkpoint),
      });
  const giveBack = await locks.take(`fusestudio model ${id}`);
  if (!giveBack) {
    throw new EngineError("busy", `${folder.name} is being imported in another tab already.`);
  }
  try {
    modelsChanged();
    if (half)
      notes.push(
        `${half.name}: went on after the ${megabytes(half.storedBytes)} MB that were stored.`,
      );
    const keepMatching: KeepMatching = (path, source) =>
      library.keepMatching(id, path, source, signal);
    await copyAll(kept, writer, { signal, keepMatching: half ? keepMatching : null, onBytes });
    await inputs.requireUnchanged();
    await writer.seal();
  } finally {
    giveBack();
    modelsChanged();
  }
  return { model: id, notes };
}

/** Keeps the stored bytes of an unchanged file. */
type KeepMatching = (path: string, source: ByteSource) => Promise<void>;

async function copyAll(
  files: FileTree,
  writer: FileTreeWriter,
  options: {
    readonly signal: AbortSignal;
    /** Null where nothing is stored yet. */
    readonly keepMatching: KeepMatching | null;
    onBytes(doneBytes: number, label: string): void;
  },
): Promise<void> {
  const { signal, keepMatching } = options;
  let before = 0;
  for (const [path, source] of files) {
    const onBytes = (doneBytes: number) => options.onBytes(before + doneBytes, path);
    await keepMatching?.(path, source);
    await copyFile(source, await writer.open(path, source.byteLength), { signal, onBytes });
    before += source.byteLength;
  }
}

/**
 * Files to import: the weights that are read and their companions, without other formats and large
 * unknown files.
 */
function chooseFiles({ weightFiles, files }: Checkpoint) {
  const read = new Set(weightFiles);
  const isKept = (path: string, { byteLength }: ByteSource) =>
    read.has(path) ||
    (!isWeightFile(path) && !isTrainingState(path) && byteLength <= MAX_COMPANION_BYTES);
  const entries = [...files];
  return {
    kept: new Map(entries.filter(([path, source]) => isKept(path, source))) satisfies FileTree,
    leftOut: entries.flatMap(([path, source]) => (isKept(path, source) ? [] : [path])),
  };
}

/**
 * Fingerprint of a folder: its name, file names and sizes. Hashes tell whether the bytes are the
 * same.
 */
function fingerprintOf(name: string, files: FileTree): string {
  const sizes = [...files].map(([path, { byteLength }]) => [path, byteLength]).sort();
  return JSON.stringify(["import", name, sizes]);
}

async function holdsAll(library: Library, id: ModelId, files: FileTree, signal: AbortSignal) {
  for (const [path, source] of files) {
    if (!(await library.holds(id, path, source, signal))) return false;
  }
  return true;
}

function nothingToImport(paths: readonly string[]): EngineError {
  const files = paths.length === 1 ? "this file" : `these ${paths.length} files`;
  return new EngineError(
    "missing-file",
    describeFiles(paths) ??
      `No format that is read claims ${files}: a checkpoint is a folder with .safetensors files, or one such file.`,
    { files: paths.length },
  );
}
