import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import type { FusionCatalogue, FusionRow } from "../engine/fuse/dataset/fusionCatalogue.ts";
import { type FusionLibrary, openFusions } from "../engine/fuse/dataset/fusions.ts";
import { guarded } from "./files.ts";
import { readJson, writeJson } from "./jsonFile.ts";
import { takeLock } from "./lockFile.ts";
import { openRecordFiles, type RecordFiles } from "./recordFiles.ts";

/** What unfinished work needs lies here, inside the folder being written. */
const WORK_FOLDER = ".fusestudio";
/** What can lie there before the first state. */
const BEFORE_THE_STATE: ReadonlySet<string> = new Set([
  "lock",
  "records",
  "catalogue.json",
  "models",
]);

/** A folder in which one piece of long work is done, locked against a second writer. */
export interface WorkFolder<State> {
  /** Where the work's own files lie. */
  readonly work: string;
  readonly records: RecordFiles;
  readonly fusions: FusionLibrary;
  /** What an earlier run saved last, or null. */
  readonly state: State | null;
  save(state: State): Promise<void>;
  /** What was saved is of no use: closing removes it, and the folder is free for other work. */
  forget(): void;
  /** Removes everything that was only needed on the way. */
  finish(): Promise<void>;
  /** Closes what is open and gives up the lock; what is done stays. */
  close(): Promise<void>;
}

/**
 * Opens `folder` to work in, or goes on with what an earlier run began there under the same `key`.
 * `permission` for a folder that holds anything else.
 */
export async function openWorkFolder<State>(
  folder: string,
  key: string,
): Promise<WorkFolder<State>> {
  const work = join(folder, WORK_FOLDER);
  const statePath = join(work, "state.json");
  await guarded(folder, async () => {
    await claim(folder);
    await takeLock(join(work, "lock"), folder);
  });
  const unlock = () => rm(join(work, "lock"), { force: true });
  const before = await readState<State>(statePath, folder, key).catch(async (error: unknown) => {
    await unlock();
    throw error;
  });
  const records = openRecordFiles(join(work, "records"));
  const fusions = openFusions(catalogueFile(join(work, "catalogue.json")), records);
  let begun = before !== null;
  return {
    work,
    records,
    fusions,
    state: before,
    async save(state) {
      begun = true;
      await writeJson(statePath, { key, state });
    },
    forget() {
      begun = false;
    },
    async finish() {
      await records.close();
      await rm(work, { recursive: true, force: true });
    },
    async close() {
      await records.close();
      await unlock();
      if (begun) return;
      await rm(work, { recursive: true, force: true });
      await rmdir(folder).catch(() => undefined); // not empty: it is finished
    },
  };
}

/** Refuses a folder with files that we did not put there; makes one that is missing. */
async function claim(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  if (names.length > 0 && !names.includes(WORK_FOLDER)) {
    throw new EngineError(
      "permission",
      `${folder} is not empty and holds no unfinished work. Choose a new or an empty folder.`,
      { folder, entries: names.length },
    );
  }
  await mkdir(join(folder, WORK_FOLDER), { recursive: true });
}

async function readState<State>(path: string, folder: string, key: string): Promise<State | null> {
  const found = await readJson<{ readonly key: string; readonly state: State }>(path);
  if (found?.key === key) return found.state;
  // A run that was killed before it first saved leaves these, and nothing that matters in them.
  const names = found ? null : await readdir(join(folder, WORK_FOLDER));
  if (names?.every((name) => BEFORE_THE_STATE.has(name))) return null;
  throw foreign(folder);
}

const foreign = (folder: string) =>
  new EngineError(
    "permission",
    `${folder} holds unfinished work of another kind, or of other models, data or settings. Choose another folder, or delete this one.`,
    { folder },
  );

/** The fusions of a folder. */
function catalogueFile(path: string): FusionCatalogue {
  const list = async () => (await readJson<readonly FusionRow[]>(path)) ?? [];
  const write = (rows: readonly FusionRow[]) => writeJson(path, rows);
  return {
    list,
    put: async (row) => write([...(await list()).filter(({ id }) => id !== row.id), row]),
    delete: async (id) => write((await list()).filter((row) => row.id !== id)),
  };
}
