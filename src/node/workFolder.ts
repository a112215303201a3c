import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import type { FusionCatalogue, FusionRow } from "../engine/fuse/dataset/fusionCatalogue.ts";
import { type FusionLibrary, openFusions } from "../engine/fuse/dataset/fusions.ts";
import { claimFolder, STATE_FILE } from "./claimedFolder.ts";
import { readJson, writeJson } from "./jsonFile.ts";
import { isLockFile } from "./lockFile.ts";
import { openRecordFiles, type RecordFiles } from "./recordFiles.ts";
import { DRAFT_ENDING } from "./wholeWrites.ts";

/** Entries of a work folder before the first saved state, besides locks and drafts. */
const BEFORE_THE_STATE: ReadonlySet<string> = new Set([
  STATE_FILE,
  "records",
  "catalogue.json",
  "models",
]);

/** Folder in which one piece of long work is done, locked against a second writer. */
export interface WorkFolder<State> {
  /** Folder of the work's own files. */
  readonly work: string;
  readonly records: RecordFiles;
  readonly fusions: FusionLibrary;
  /** Last saved state of an earlier run, or null. */
  readonly state: State | null;
  /** Whether that run was another version's, and had another key for the same work. */
  readonly isEarlier: boolean;
  save(state: State): Promise<void>;
  /** Discards the saved state: closing removes it, and the folder is free for other work. */
  forget(): void;
  /** Removes everything that only the work needed. */
  finish(): Promise<void>;
  /** Closes open files and releases the lock; finished work stays. */
  close(): Promise<void>;
}

/**
 * Opens `folder` to work in, or goes on with what an earlier run began there under the same `key`, or
 * under the `earlier` one that another version had for the same work: the first `save` replaces it.
 * `permission` for a folder that holds anything else.
 */
export async function openWorkFolder<State>(
  folder: string,
  key: string,
  earlier: string | null = null,
): Promise<WorkFolder<State>> {
  const claimed = await claimFolder(folder, "work");
  const { work } = claimed;
  const statePath = join(work, STATE_FILE);
  const save = (state: State | null) => writeJson(statePath, { key, state });
  const openState = async () => {
    const found = await readState<State>(work, folder, [key, ...(earlier ? [earlier] : [])]);
    // The state is written before the work begins, to mark the folder as claimed.
    if (found.state === null) await save(null);
    return found;
  };
  const before = await openState().catch(async (error: unknown) => {
    await claimed.release();
    throw error;
  });
  const records = openRecordFiles(join(work, "records"));
  const fusions = openFusions(catalogueFile(join(work, "catalogue.json")), records);
  let begun = before.state !== null;
  let finished = false;
  return {
    work,
    records,
    fusions,
    state: before.state,
    isEarlier: before.key === earlier && earlier !== key,
    async save(state) {
      begun = true;
      await save(state);
    },
    forget() {
      begun = false;
    },
    async finish() {
      await records.close();
      finished = true;
      await claimed.clear();
    },
    async close() {
      await records.close();
      if (!finished) await (begun ? claimed.release() : claimed.clear());
    },
  };
}

interface StoredState<State> {
  readonly key: string;
  readonly state: State | null;
}

/** What an earlier run of one of the keys saved, or nothing; `permission` for others' work. */
async function readState<State>(
  work: string,
  folder: string,
  keys: readonly string[],
): Promise<StoredState<State>> {
  const found = await readJson<StoredState<State>>(join(work, STATE_FILE));
  if (found && keys.includes(found.key) && found.state !== null) return found;
  // A run that ended before its first save leaves only these files.
  const names = found && found.state !== null ? null : await readdir(work);
  const unimportant = (name: string) =>
    BEFORE_THE_STATE.has(name) || isLockFile(name) || name.endsWith(DRAFT_ENDING);
  if (names?.every(unimportant)) return { key: "", state: null };
  throw foreign(folder);
}

const foreign = (folder: string) =>
  new EngineError(
    "permission",
    `${folder} holds unfinished work of another kind, or of other models, data or settings. Choose another folder, or delete this one.`,
    { folder },
  );

/** Catalogue of a folder's fusions. */
function catalogueFile(path: string): FusionCatalogue {
  const list = async () => (await readJson<readonly FusionRow[]>(path)) ?? [];
  const write = (rows: readonly FusionRow[]) => writeJson(path, rows);
  return {
    list,
    put: async (row) => write([...(await list()).filter(({ id }) => id !== row.id), row]),
    delete: async (id) => write((await list()).filter((row) => row.id !== id)),
  };
}
