import { EngineError, type JobId } from "../contract/index.ts";
import type { ByteSource, FileTree } from "../core/bytes.ts";
import type { JobContext, JobKind } from "../core/jobs/kind.ts";
import { createFile, isTaken, requireWritable } from "../storage/folder.ts";
import { formatSum, startSha256 } from "../storage/hash.ts";
import type { LibraryReader } from "./library/library.ts";
import { folderName } from "./names.ts";

/** What a resumed export must know: its own folder, and the files that are done with their SHA-256. */
interface ExportState {
  readonly folder: string;
  readonly sums: Readonly<Record<string, string>>;
}

export interface ExportParts {
  readonly library: LibraryReader;
  /** The origin's private folder; absent where the browser has none. */
  openPrivateFolder(): Promise<FileSystemDirectoryHandle>;
}

const PIECE_BYTES = 8 * 2 ** 20;
const SUMS = "SHA256SUMS";
/** Where private exports lie, one folder for each job. */
const EXPORTS = "exports";

/** Writes a model's files into a folder, one after the other, with their SHA-256 sums last. */
export function exportJob(parts: ExportParts): JobKind<"export", ExportState> {
  const { library } = parts;
  return {
    kind: "export",
    resource: "export",
    async prepare({ model, folder }) {
      const [{ name, byteLength }] = await Promise.all([library.card(model), library.tree(model)]);
      if (folder) await requireWritable(folder);
      return { title: `Export ${name}`, recipe: null, durable: true, totalBytes: byteLength };
    },
    async run({ model, folder }, context) {
      const files = await library.tree(model);
      const { name } = await library.card(model);
      const parent = folder ?? (await privateExports(parts));
      if (folder) await requireWritable(folder);
      const place =
        context.state?.folder ?? (folder ? await freeName(folder, folderName(name)) : context.id);
      const state = context.state ?? { folder: place, sums: {} };
      await context.save(state);
      const target = await parent.getDirectoryHandle(place, { create: true });
      const named = folder ? files : asDownloads(files);
      const sums = await writeFiles(named, target, state, context);
      const downloads = folder ? [] : [...sums.keys(), SUMS];
      const where = `${folder?.name}/${place}`;
      const notes = folder ? [`Written to ${where}, with ${SUMS}.`] : [];
      return { models: [], downloads, notes };
    },
    clean: (id: JobId) => removePrivateExport(parts, id),
  };
}

/** The folder of all private exports. */
export async function privateExports(
  parts: Pick<ExportParts, "openPrivateFolder">,
): Promise<FileSystemDirectoryHandle> {
  const root = await parts.openPrivateFolder();
  return root.getDirectoryHandle(EXPORTS, { create: true });
}

/** Frees what a job prepared for download. A folder of the person's own is theirs. */
export async function removePrivateExport(
  parts: Pick<ExportParts, "openPrivateFolder">,
  id: JobId,
): Promise<void> {
  const exports = await privateExports(parts).catch(() => null);
  await exports?.removeEntry(id, { recursive: true }).catch((error: unknown) => {
    // It may never have been made.
    if (!(error instanceof Error) || error.name !== "NotFoundError") throw error;
  });
}

/** The name itself, or with -2, -3 … where something is there already: nothing is written over. */
export async function freeName(folder: FileSystemDirectoryHandle, name: string): Promise<string> {
  for (let number = 1; number < 1000; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!(await isTaken(folder, candidate))) return candidate;
  }
  throw new EngineError("usage", `${folder.name} has too many folders named ${name} already.`);
}

/** Downloads are single files: a path within the model becomes a name of its own. */
function asDownloads(files: FileTree): FileTree {
  const named = new Map<string, ByteSource>();
  for (const [path, source] of files) {
    const flat = path.replaceAll("/", "_");
    let name = flat;
    for (let number = 2; named.has(name); number++) name = `${number}-${flat}`;
    named.set(name, source);
  }
  return named;
}

/** Writes what is not there yet, and gives the sums of all files by name. */
async function writeFiles(
  files: FileTree,
  target: FileSystemDirectoryHandle,
  before: ExportState,
  { signal, progress, save }: JobContext<ExportState>,
): Promise<ReadonlyMap<string, string>> {
  const totalBytes = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  // Names are data: in a map `constructor` is one like any other, in an object it is there already.
  const sums = new Map(Object.entries(before.sums));
  let doneBytes = 0;
  for (const [name, source] of files) {
    // The model's own list names the files as they were; a new one takes its place.
    if (name === SUMS) continue;
    if (!sums.has(name)) {
      const start = doneBytes;
      const sum = await writeFile(source, target, name, signal, (bytes) =>
        progress({ doneBytes: start + bytes, totalBytes, label: name }),
      );
      sums.set(name, sum);
      await save({ ...before, sums: Object.fromEntries(sums) });
    }
    doneBytes += source.byteLength;
    progress({ doneBytes, totalBytes, label: name });
  }
  const lines = [...sums].map(([name, sum]) => formatSum(sum, name));
  const text = new TextEncoder().encode(lines.join(""));
  const writer = await createFile(target, SUMS, text.byteLength);
  await writer.write(text);
  await writer.close();
  return sums;
}

/** Copies one file and gives its SHA-256. A file that was begun before is written anew. */
async function writeFile(
  source: ByteSource,
  target: FileSystemDirectoryHandle,
  name: string,
  signal: AbortSignal,
  onBytes: (doneBytes: number) => void,
): Promise<string> {
  const sha256 = await startSha256();
  const writer = await createFile(target, name, source.byteLength);
  try {
    for (let at = 0; at < source.byteLength; ) {
      signal.throwIfAborted();
      const piece = await source.read(at, Math.min(PIECE_BYTES, source.byteLength - at));
      sha256.update(piece);
      await writer.write(piece);
      at += piece.byteLength;
      onBytes(at);
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.close();
  return sha256.digest();
}
