import { mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { EngineError, type FusionCard } from "../engine/contract/index.ts";
import { FUSED_ENDING, writeFusedFile } from "../engine/fuse/fusedFile.ts";
import type { FusionCatalogue, FusionRow } from "../engine/fuse/fusionCatalogue.ts";
import { type FusionLibrary, openFusions } from "../engine/fuse/fusions.ts";
import { writeParquet } from "../engine/fuse/parquetWriter.ts";
import { fileFailure } from "./files.ts";
import { takeLock } from "./lockFile.ts";
import { openRecordFiles, type RecordFiles } from "./recordFiles.ts";

/** What an unfinished fusion needs lies here, inside the folder being written. */
const WORK_FOLDER = ".fusestudio";

/** Formats of the references that a fused dataset can be written in, too. */
export const PARQUET_FORMATS = ["fusellm", "fusechat-v1", "fusechat-v2"] as const;
export type ParquetFormat = (typeof PARQUET_FORMATS)[number];

/** A folder in which one fusion is made, locked against a second writer. */
export interface FusionFolder<State> {
  readonly records: RecordFiles;
  readonly fusions: FusionLibrary;
  /** What an earlier run saved last, or null. */
  readonly state: State | null;
  save(state: State): Promise<void>;
  /** Writes the dataset's files under their own names, removes all else, and tells the names. */
  seal(card: FusionCard, parquet: ParquetFormat | null): Promise<readonly string[]>;
  /** Closes what is open and gives up the lock; what is done stays. */
  close(): Promise<void>;
}

/**
 * Opens `folder` to make a fusion in, or goes on with what an earlier run began there under the same
 * `key`. `permission` for a folder that holds anything else.
 */
export async function openFusionFolder<State>(
  folder: string,
  key: string,
): Promise<FusionFolder<State>> {
  const work = join(folder, WORK_FOLDER);
  const statePath = join(work, "fusion.json");
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
  const catalogue = catalogueFile(join(work, "catalogue.json"));
  const fusions = await openFusions(catalogue, records);
  let begun = before !== null;
  return {
    ...{ records, fusions, state: before },
    async save(state) {
      begun = true;
      await guarded(statePath, () => writeJson(statePath, { key, state }));
    },
    seal: (card, parquet) =>
      guarded(folder, async () => {
        const names = await writeFiles(card, parquet, { fusions, work, folder });
        await records.close();
        await rm(work, { recursive: true, force: true });
        return names;
      }),
    async close() {
      await records.close();
      await unlock();
      if (begun) return;
      await rm(work, { recursive: true, force: true });
      await rmdir(folder).catch(() => undefined); // not empty: it is sealed
    },
  };
}

async function guarded<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw fileFailure(error, path);
  }
}

/** Refuses a folder with files that we did not put there; makes one that is missing. */
async function claim(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  if (names.length > 0 && !names.includes(WORK_FOLDER)) {
    throw new EngineError(
      "permission",
      `${folder} is not empty and holds no unfinished fusion. Choose a new or an empty folder.`,
      { folder, entries: names.length },
    );
  }
  await mkdir(join(folder, WORK_FOLDER), { recursive: true });
}

async function readState<State>(path: string, folder: string, key: string): Promise<State | null> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) {
    const names = await readdir(join(folder, WORK_FOLDER));
    if (names.every((name) => name === "lock" || name === "records")) return null;
    throw foreign(folder);
  }
  const found = JSON.parse(text) as { key: string; state: State }; // ours, by rename: never half
  if (found.key === key) return found.state;
  throw foreign(folder);
}

const foreign = (folder: string) =>
  new EngineError(
    "permission",
    `${folder} holds unfinished work of another kind, or of other models, data or settings. Choose another folder, or delete this one.`,
    { folder },
  );

/** Replaces a file at once. */
async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(value));
  await rename(`${path}.new`, path);
}

/** The one fusion of a folder. */
function catalogueFile(path: string): FusionCatalogue {
  const list = async (): Promise<readonly FusionRow[]> => {
    const text = await readFile(path, "utf8").catch(() => "[]");
    return JSON.parse(text) as readonly FusionRow[]; // ours, written below
  };
  const write = (rows: readonly FusionRow[]) => guarded(path, () => writeJson(path, rows));
  return {
    list,
    put: async (row) => write([...(await list()).filter(({ id }) => id !== row.id), row]),
    delete: async (id) => write((await list()).filter((row) => row.id !== id)),
  };
}

async function writeFiles(
  card: FusionCard,
  parquet: ParquetFormat | null,
  {
    fusions,
    work,
    folder,
  }: { readonly fusions: FusionLibrary; readonly work: string; readonly folder: string },
): Promise<readonly string[]> {
  const stem = basename(folder);
  const own = `${stem}${FUSED_ENDING}`;
  const members = card.members.map(({ model }) => model);
  const { name, vocabSize, settings, documents, dropped } = card;
  const header = { name, vocabSize, settings, members, documents, dropped };
  await intoFile(join(work, own), (write) =>
    writeFusedFile(header, fusions.records(card.id), write),
  );
  const names = [own];
  if (parquet) {
    const file = `${stem}-${parquet}.parquet`;
    const sources = members.length - 1;
    await intoFile(join(work, file), (write) =>
      writeParquet(fusions.records(card.id), { format: parquet, sources, write }),
    );
    names.push(file);
  }
  for (const file of names) await rename(join(work, file), join(folder, file));
  return names;
}

async function intoFile(
  path: string,
  fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const handle = await open(path, "w");
  try {
    await fill((bytes) => handle.writeFile(bytes));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
