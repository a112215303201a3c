import { values as allValues, del, get, set, update } from "idb-keyval";
import { EngineError, type ModelCard, type ModelId } from "../../contract/index.ts";
import type { ByteSource, FileTreeWriter } from "../../core/bytes.ts";
import { makeId } from "../../core/id.ts";
import { invariant } from "../../core/invariant.ts";
import type { Database } from "../../storage/database.ts";
import { hashBytes } from "../../storage/hash.ts";
import type { ValueStore } from "../../storage/values.ts";
import { adapterCard, isAdapter } from "../adapters/adapter.ts";
import { type Checkpoint, storedCard } from "../checkpoint.ts";
import { tidyName, uniqueName } from "../names.ts";
import { openCheckpoint } from "../open.ts";
import type { Library, ModelFacts } from "./library.ts";

/** Manifest of a checkpoint in the catalogue. Written last when `state` becomes `complete`. */
interface CatalogueRow {
  readonly id: ModelId;
  readonly name: string;
  readonly origin: ModelCard["origin"];
  readonly state: ModelCard["state"];
  readonly createdAt: number;
  /** Expected size, until the model is complete. */
  readonly byteLength: number;
  readonly fingerprint: string | null;
  readonly facts: ModelFacts | null;
  readonly files: readonly { readonly path: string; readonly byteLength: number }[];
}

/** Facts of an opened checkpoint for its card. */
export function describeCheckpoint(checkpoint: Checkpoint): ModelFacts {
  const { config, tensors, files } = checkpoint;
  const list = [...tensors.values()];
  return {
    architecture: config?.architecture ?? null,
    parameters: list.reduce((sum, tensor) => sum + tensor.elementCount, 0),
    layers: config?.layers ?? null,
    vocabSize: config?.vocabSize ?? null,
    dtypes: [...new Set(list.map((tensor) => storedCard(tensor).dtype))],
    tensorCount: list.length,
    hasTokenizer: ["tokenizer.json", "tokenizer.model", "vocab.json"].some((path) =>
      files.has(path),
    ),
    ...(isAdapter(checkpoint) ? { adapter: adapterCard(checkpoint) } : {}),
  };
}

const UNKNOWN: ModelFacts = {
  architecture: null,
  parameters: 0,
  layers: null,
  vocabSize: null,
  dtypes: [],
  tensorCount: 0,
  hasTokenizer: false,
};

/** Whether a row of the catalogue is a checkpoint's; rows of other kinds state their type. */
function isCheckpointRow(row: object): boolean {
  return !("type" in row);
}

/** Library in this browser's IndexedDB: manifests in `catalogue`, bytes in `values`. */
export async function openLibrary(database: Database, values: ValueStore): Promise<Library> {
  const catalogue = database.store("catalogue");
  const opened = new Map<ModelId, Promise<Checkpoint>>();
  const deleted = new Set<ModelId>();
  let naming: Promise<unknown> = Promise.resolve();

  const rows = async () => (await allValues<CatalogueRow>(catalogue)).filter(isCheckpointRow);

  /** Runs name choices one after the other, so that names stay unique. */
  function named<T>(work: (taken: ReadonlySet<string>) => Promise<T>, except?: ModelId) {
    const result = naming.then(async () =>
      work(new Set((await rows()).filter((row) => row.id !== except).map((row) => row.name))),
    );
    naming = result.catch(() => undefined);
    return result;
  }

  async function row(id: ModelId): Promise<CatalogueRow> {
    const found = await get<CatalogueRow>(id, catalogue);
    if (found && isCheckpointRow(found)) return found;
    const message = "The library has no such model; it may be deleted.";
    throw new EngineError("missing-file", message, { model: id });
  }

  async function completeRow(id: ModelId): Promise<CatalogueRow> {
    const found = await row(id);
    if (found.state === "complete") return found;
    throw new EngineError(
      "usage",
      `${found.name} is not complete yet: resume the job that writes it, or give its files again.`,
      { model: found.name },
    );
  }

  async function cardOf(found: CatalogueRow): Promise<ModelCard> {
    const { id, name, state, origin, createdAt, byteLength } = found;
    let storedBytes = state === "complete" ? byteLength : 0;
    if (state === "partial") {
      for (const { path } of found.files) {
        for (const mark of await values.marks(id, path)) storedBytes += mark.byteLength;
      }
    }
    return {
      id,
      name,
      state,
      origin,
      createdAt,
      storedBytes,
      byteLength: Math.max(byteLength, storedBytes),
      ...(found.facts ?? UNKNOWN),
    };
  }

  const treeOf = ({ id, files }: CatalogueRow) =>
    new Map(files.map(({ path, byteLength }) => [path, values.source(id, path, byteLength)]));

  /** Number of leading values of a stored file that equal the source's. */
  async function matching(id: ModelId, path: string, source: ByteSource, signal: AbortSignal) {
    const marks = await values.marks(id, path);
    let start = 0;
    let count = 0;
    for (const { hash, byteLength } of marks) {
      signal.throwIfAborted();
      if (start + byteLength > source.byteLength) break;
      if ((await hashBytes(await source.read(start, byteLength))) !== hash) break;
      start += byteLength;
      count += 1;
    }
    return { count, byteLength: start };
  }

  function writer(id: ModelId): FileTreeWriter {
    return {
      async open(path, byteLength) {
        checkPath(path);
        const before = (await row(id)).files.find((file) => file.path === path);
        if (before && before.byteLength !== byteLength) await values.cut(id, path, 0);
        await update<CatalogueRow>(
          id,
          (present) => {
            invariant(present, "a model is in the catalogue while it is written");
            const others = present.files.filter((file) => file.path !== path);
            return { ...present, files: [...others, { path, byteLength }] };
          },
          catalogue,
        );
        const sink = await values.sink(id, path, byteLength);
        return {
          get durableBytes() {
            return sink.durableBytes;
          },
          append(bytes) {
            if (deleted.has(id)) {
              throw new EngineError("cancelled", "The model was deleted while it was written.");
            }
            return sink.append(bytes);
          },
          flush: () => sink.flush(),
        };
      },
      async seal() {
        const present = await row(id);
        for (const { path, byteLength } of present.files) {
          const stored = (await values.marks(id, path)).reduce((sum, m) => sum + m.byteLength, 0);
          invariant(stored === byteLength, `${path} is whole before its model is sealed`);
        }
        const checkpoint = await openCheckpoint(treeOf(present), present.name);
        const byteLength = present.files.reduce((sum, file) => sum + file.byteLength, 0);
        const facts = describeCheckpoint(checkpoint);
        await set(id, { ...present, state: "complete", byteLength, facts }, catalogue);
      },
    };
  }

  // Values without a manifest remain where one tab deleted a model while another wrote it.
  const known = new Set((await rows()).map((present) => present.id));
  for (const folder of await values.folders()) {
    if (!known.has(folder) && !(await get(folder, catalogue))) await values.deleteFolder(folder);
  }

  return {
    async list() {
      const newestFirst = (await rows()).sort((a, b) => b.createdAt - a.createdAt);
      return Promise.all(newestFirst.map(cardOf));
    },
    card: async (id) => cardOf(await row(id)),
    async findByName(name) {
      const found = (await rows()).find((present) => present.name === name);
      return found && cardOf(found);
    },
    async findByFingerprint(fingerprint) {
      const found = (await rows()).filter((present) => present.fingerprint === fingerprint);
      return Promise.all(found.map(cardOf));
    },
    begin: ({ name, ...start }) =>
      named(async (taken) => {
        const id = makeId();
        const fresh: CatalogueRow = {
          id,
          ...start,
          name: uniqueName(tidyName(name), taken),
          state: "partial",
          createdAt: Date.now(),
          files: [],
        };
        await set(id, fresh, catalogue);
        return { id, writer: writer(id) };
      }),
    async resume(id) {
      const { state, name } = await row(id);
      invariant(state === "partial", `${name} is still open for writing`);
      return writer(id);
    },
    tree: async (id) => treeOf(await completeRow(id)),
    open(id) {
      const opening =
        opened.get(id) ??
        completeRow(id).then((present) => openCheckpoint(treeOf(present), present.name));
      opened.set(id, opening);
      opening.catch(() => opened.delete(id));
      return opening;
    },
    async keepMatching(id, path, source, signal) {
      const { count } = await matching(id, path, source, signal);
      await values.cut(id, path, count);
    },
    async holds(id, path, source, signal) {
      const file = (await completeRow(id)).files.find((each) => each.path === path);
      if (file?.byteLength !== source.byteLength) return false;
      return (await matching(id, path, source, signal)).byteLength === file.byteLength;
    },
    rename: (id, name) =>
      named(async (taken) => {
        const renamed = { ...(await row(id)), name: uniqueName(tidyName(name), taken) };
        await set(id, renamed, catalogue);
        opened.delete(id);
        return cardOf(renamed);
      }, id),
    async delete(id) {
      const doomed = await row(id);
      deleted.add(id);
      opened.delete(id);
      // Marked as incomplete first, then emptied, then removed, so that an interrupted deletion can
      // be repeated.
      await set(id, { ...doomed, state: "partial" }, catalogue);
      await values.deleteFolder(id);
      await del(id, catalogue);
    },
  };
}

/** Checks that a path stays inside its folder wherever it is exported. */
function checkPath(path: string): void {
  const parts = path.split("/");
  const bad = parts.some(
    (part) => part === "" || part === "." || part === ".." || /\\|\0/.test(part),
  );
  if (!bad && path.length <= 1024) return;
  throw new EngineError("usage", `"${path.slice(0, 200)}" is not a path inside a model's folder.`, {
    path: path.slice(0, 200),
  });
}
