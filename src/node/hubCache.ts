import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { nameInHubCache } from "../engine/checkpoint/hubNames.ts";
import { EngineError } from "../engine/contract/index.ts";

const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

/** Cache of huggingface_hub: HF_HUB_CACHE, else `hub` in HF_HOME, else in the user's cache. */
function cacheFolder(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, "hub");
}

const exists = (path: string) => stat(path).then(Boolean, () => false);

/**
 * Folder or file of a path or a Hub id: for a folder of the Hub's cache (`models--owner--name`) the
 * snapshot of `refs/main`, else its only one; for `owner/name` without such a folder here, the
 * snapshot in the cache. Any other path is itself.
 */
export async function locateModel(path: string, named = path): Promise<string> {
  if (await exists(path)) {
    const isCache = nameInHubCache(path) !== null && (await exists(join(path, "snapshots")));
    return isCache ? findSnapshot(path) : path;
  }
  if (!HUB_ID.test(named)) return path;
  const cached = join(cacheFolder(), `models--${named.replace("/", "--")}`);
  return (await exists(cached)) ? findSnapshot(cached) : path;
}

async function findSnapshot(folder: string): Promise<string> {
  const main = await readFile(join(folder, "refs", "main"), "utf8").catch(() => "");
  const commit = main.trim();
  if (/^[0-9a-f]{7,64}$/.test(commit) && (await exists(join(folder, "snapshots", commit)))) {
    return join(folder, "snapshots", commit);
  }
  const snapshots = (await readdir(join(folder, "snapshots"))).filter((it) => !it.startsWith("."));
  const [only] = snapshots;
  if (only !== undefined && snapshots.length === 1) return join(folder, "snapshots", only);
  throw new EngineError(
    "missing-file",
    `${folder} has ${snapshots.length} snapshots and no refs/main that names one of them: name the folder below snapshots, or download the model again.`,
    { folder, snapshots: snapshots.length },
  );
}
