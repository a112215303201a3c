import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "../engine/checkpoint/checkpoint.ts";
import { describeCheckpoint } from "../engine/checkpoint/library/databaseLibrary.ts";
import type { LibraryReader, LibraryWriter } from "../engine/checkpoint/library/library.ts";
import { folderName, tidyName, uniqueName } from "../engine/checkpoint/names.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { EngineError, type ModelCard, type ModelId } from "../engine/contract/index.ts";
import type { FileTree, FileTreeWriter } from "../engine/core/bytes.ts";
import { makeId } from "../engine/core/id.ts";
import { withChecksums } from "./checksums.ts";
import { type OpenFiles, openFiles } from "./files.ts";
import { type FolderWriter, openFolderWriter } from "./folderWriter.ts";
import { type GivenModel, readGivenModels } from "./givenModels.ts";
import { readJson, writeJson } from "./jsonFile.ts";

/** A model made here, in a folder of its name. */
interface Row {
  readonly id: ModelId;
  readonly name: string;
  readonly origin: ModelCard["origin"];
  readonly state: ModelCard["state"];
  readonly createdAt: number;
  readonly byteLength: number;
}

export interface FolderLibrary extends LibraryReader, LibraryWriter {
  /** Path of a model on disk. */
  locate(id: ModelId): Promise<string>;
  close(): Promise<void>;
}

/**
 * Library of a terminal's pipeline: the given models, and results, in a folder each below `root`,
 * which later runs find again.
 */
export async function openFolderLibrary(
  root: string,
  given: readonly GivenModel[],
): Promise<FolderLibrary> {
  const path = join(root, "models.json");
  let rows = (await readJson<readonly Row[]>(path)) ?? [];
  const opened = new Map<ModelId, { readonly checkpoint: Checkpoint; readonly files: OpenFiles }>();
  const writers = new Map<ModelId, FolderWriter>();
  const reader = readGivenModels(given);
  const isGiven = (id: ModelId) => given.some((model) => model.id === id);
  const folderOf = ({ name }: Pick<Row, "name">) => join(root, folderName(name));

  async function put(next: readonly Row[]): Promise<void> {
    rows = next;
    await mkdir(root, { recursive: true });
    await writeJson(path, rows);
  }

  function find(id: ModelId): Row {
    const found = rows.find((row) => row.id === id);
    if (found) return found;
    const message = `${root} has no model "${id}"; its folder may be deleted. Run the command again.`;
    throw new EngineError("missing-file", message, { model: id });
  }

  async function open(id: ModelId): Promise<Checkpoint> {
    if (isGiven(id)) return reader.open(id);
    const known = opened.get(id);
    if (known) return known.checkpoint;
    const row = find(id);
    const files = await openFiles(folderOf(row));
    const checkpoint = await openCheckpoint(files.files, row.name);
    opened.set(id, { checkpoint, files });
    return checkpoint;
  }

  async function openWriter(row: Row): Promise<FileTreeWriter> {
    await writers.get(row.id)?.close(); // one that was given up holds the folder's lock
    const writer = await openFolderWriter(folderOf(row), row.id);
    writers.set(row.id, writer);
    const summed = withChecksums(writer);
    return {
      open: (file, byteLength) => summed.open(file, byteLength),
      async seal() {
        await summed.seal();
        await writer.close();
        writers.delete(row.id);
        await put(rows.map((each) => (each.id === row.id ? { ...each, state: "complete" } : each)));
      },
    };
  }

  async function card(id: ModelId): Promise<ModelCard> {
    if (isGiven(id)) return reader.card(id);
    const row = find(id);
    const { origin, state, createdAt, byteLength, name } = row;
    const whole = state === "complete" ? await open(id) : null;
    const facts = whole ? describeCheckpoint(whole) : describeCheckpoint(EMPTY);
    const storedBytes = whole ? byteLength : 0;
    return { id, name, origin, state, createdAt, byteLength, storedBytes, ...facts };
  }

  const list = () => Promise.all([...given, ...rows].map(({ id }) => card(id)));
  return {
    list,
    card,
    open,
    locate: async (id) => folderOf(find(id)),
    findByName: async (name) => (await list()).find((each) => each.name === name),
    async begin({ name, origin, byteLength }) {
      const taken = new Set([...given, ...rows].map((each) => each.name));
      const row: Row = {
        id: makeId(),
        name: uniqueName(tidyName(name), taken),
        origin,
        byteLength,
        state: "partial",
        createdAt: Date.now(),
      };
      await put([...rows, row]);
      return { id: row.id, writer: await openWriter(row) };
    },
    resume: async (id) => openWriter(find(id)),
    tree: async (id): Promise<FileTree> => (await open(id)).files,
    async delete(id) {
      await opened.get(id)?.files.close();
      opened.delete(id);
      await rm(folderOf(find(id)), { recursive: true, force: true });
      await put(rows.filter((row) => row.id !== id));
    },
    async close() {
      for (const writer of writers.values()) await writer.close();
      for (const { files } of opened.values()) await files.close();
    },
  };
}

const EMPTY: Checkpoint = {
  name: "",
  config: null,
  tensors: new Map(),
  files: new Map(),
  weightFiles: [],
  quantised: [],
  notes: [],
};
