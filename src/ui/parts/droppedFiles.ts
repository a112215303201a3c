/** A file with its path from the folder that was dropped. */
export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

/** Largest number of files in a drop, which might be a whole disk. */
const MOST_FILES = 20_000;
const DEEPEST = 12;

interface Walk {
  readonly found: PickedFile[];
}

function readAll(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => {
    const entries: FileSystemEntry[] = [];
    // A reader returns at most a hundred entries a call, and none at the end.
    const more = () =>
      reader.readEntries((batch) => {
        for (const entry of batch) entries.push(entry);
        if (batch.length === 0 || entries.length > MOST_FILES) resolve(entries);
        else more();
      }, reject);
    more();
  });
}

async function walkEntry(entry: FileSystemEntry, depth: number, walk: Walk): Promise<void> {
  if (walk.found.length >= MOST_FILES || depth > DEEPEST) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    walk.found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const children = await readAll((entry as FileSystemDirectoryEntry).createReader());
  for (const child of children) await walkEntry(child, depth + 1, walk);
}

async function walkHandle(
  handle: FileSystemHandle,
  path: string,
  depth: number,
  walk: Walk,
): Promise<void> {
  if (walk.found.length >= MOST_FILES || depth > DEEPEST) return;
  if (handle.kind === "file") {
    walk.found.push({ path, file: await (handle as FileSystemFileHandle).getFile() });
    return;
  }
  for await (const child of (handle as FileSystemDirectoryHandle).values()) {
    await walkHandle(child, `${path}/${child.name}`, depth + 1, walk);
  }
}

/**
 * All files of a drop, including those in folders. A DataTransfer is emptied at the first await, so
 * all items are read before.
 */
export async function takeDroppedFiles(transfer: DataTransfer): Promise<readonly PickedFile[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const taken = items.map((item) => ({
    entry: item.webkitGetAsEntry?.() ?? null,
    handle: item.getAsFileSystemHandle?.().catch(() => null) ?? null,
    file: item.getAsFile(),
  }));
  const walk: Walk = { found: [] };
  for (const { entry, handle, file } of taken) {
    const opened = entry ? null : await handle;
    if (entry) await walkEntry(entry, 0, walk);
    else if (opened) await walkHandle(opened, opened.name, 0, walk);
    else if (file) walk.found.push({ path: file.name, file });
  }
  return walk.found;
}

/** Files of a file input, with the folder's name in front where there is one. */
export function takePickedFiles(list: FileList | null): readonly PickedFile[] {
  return [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}
