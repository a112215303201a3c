import { EngineError } from "../contract/index.ts";

/** The page's own folder of the browser's file system; `permission` where it gives none. */
export async function openPrivateFolder(
  storage: StorageManager | undefined,
): Promise<FileSystemDirectoryHandle> {
  const folder = await storage?.getDirectory?.().catch(() => undefined);
  if (folder) return folder;
  throw new EngineError(
    "permission",
    "This browser gives the studio no private folder, so it cannot prepare downloads. Export into a folder of your own, or leave the private window.",
  );
}
