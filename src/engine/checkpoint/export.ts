import { EngineError, type JobId } from "../contract/index.ts";
import type { ByteSource, FileTree } from "../core/bytes.ts";
import type { JobContext, JobKind } from "../core/jobs/kind.ts";
import { createFile, isTaken, requireWritable } from "../storage/folder.ts";
import { formatSum, startSha256 } from "../storage/hash.ts";
import type { LibraryReader } from "./library/library.ts";
import { folderName } from "./names.ts";

/** Saved state of an export: its folder, and the finished files with their SHA-256. */
interface ExportState {
  readonly folder: string;
  readonly sums: Readonly<Record<string, string>>;
}

export interface ExportParts {
  readonly library: LibraryReader;
  /** Opens the origin's private folder; absent where the browser has none. */
  openPrivateFolder(): Promise<FileSystemDirectoryHandle>;
}

const PIECE_BYTES = 8 * 2 ** 20;
const SUMS = "SHA256SUMS";
/** Folder of the private exports, with one folder per job. */
const EXPORTS = "exports";

/** Job kind `export`: writes a model's files into a folder, and their SHA-256 sums last. */
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

/** Deletes the downloads of a job. A folder that the user picked is left alone. */
export async function removePrivateExport(
  parts: Pick<ExportParts, "openPrivateFolder">,
  id: JobId,
): Promise<void> {
  const exports = await privateExports(parts).catch(() => null);
  await exports?.removeEntry(id, { recursive: true }).catch((error: unknown) => {
    // The folder may never have been made.
    if (!(error instanceof Error) || error.name !== "NotFoundError") throw error;
  });
}

/** A name that is not taken: the given one, or with -2, -3 …; nothing is overwritten. */
export async function freeName(folder: FileSystemDirectoryHandle, name: string): Promise<string> {
  for (let number = 1; number < 1000; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!(await isTaken(folder, candidate))) return candidate;
  }
  throw new EngineError("usage", `${folder.name} has too many folders named ${name} already.`);
}

/** Downloads are single files, so a path within the model becomes part of the name. */
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

/** Writes the files that are missing, and returns the sums of all files by name. */
async function writeFiles(
  files: FileTree,
  target: FileSystemDirectoryHandle,
  before: ExportState,
  { signal, progress, save }: JobContext<ExportState>,
): Promise<ReadonlyMap<string, string>> {
  const totalBytes = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  // A Map, since file names such as `constructor` exist in every object.
  const sums = new Map(Object.entries(before.sums));
  let doneBytes = 0;
  for (const [name, source] of files) {
    // The model's own SHA256SUMS is replaced by a new one.
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

/** Copies one file and returns its SHA-256. An unfinished file is written anew. */
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
