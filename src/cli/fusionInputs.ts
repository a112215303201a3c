import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { EngineError } from "../engine/contract/index.ts";
import type { FuseInputParts } from "../engine/fuse/fuseModels.ts";
import type { StoredDataset } from "../engine/model/datasets.ts";
import { isOnnxExport } from "../engine/model/onnxExport.ts";
import { summarizeDataset } from "../engine/text/datasets.ts";
import { openFiles } from "../node/files.ts";
import { type OpenModel, openModel } from "./openModel.ts";

/** Models and datasets on disk, as a job finds them in a library. Ids are paths. */
export interface FusionInputs extends Pick<FuseInputParts, "library" | "datasets"> {
  readonly models: readonly string[];
  readonly files: readonly string[];
  /** Changes when any of the files does. */
  readonly fingerprint: string;
  close(): Promise<void>;
}

/** Opens the folders and reads the datasets through once. */
export async function openFusionInputs(
  modelPaths: readonly string[],
  dataPaths: readonly string[],
): Promise<FusionInputs> {
  const models = new Map<string, OpenModel & { readonly name: string }>();
  const datasets = new Map<string, StoredDataset>();
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const each of closing) await each();
  };
  const print = createHash("sha256");
  try {
    for (const path of modelPaths.map((each) => resolve(each))) {
      const opened = models.get(path) ?? (await openModel(path));
      if (models.has(path)) continue;
      closing.push(opened.files.close);
      requireSafetensors(opened);
      models.set(path, { ...opened, name: freeName(basename(path), models) });
      print.update(JSON.stringify([path, opened.files.fingerprint]));
    }
    for (const path of dataPaths.map((each) => resolve(each))) {
      if (datasets.has(path)) continue;
      const { dataset, fingerprint, close: closeData } = await openData(path);
      closing.push(closeData);
      datasets.set(path, dataset);
      print.update(JSON.stringify([path, fingerprint]));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const model = (id: string) => models.get(id) as OpenModel & { readonly name: string };
  return {
    ...{ models: [...models.keys()], files: [...datasets.keys()] },
    ...{ fingerprint: print.digest("hex"), close },
    library: {
      open: async (id) => model(id).checkpoint,
      card: async (id) => ({ id, name: model(id).name }),
    },
    datasets: { open: async (id) => datasets.get(id) as StoredDataset },
  };
}

/** Folders of the same name are told apart by a number. */
function freeName(name: string, taken: ReadonlyMap<string, { readonly name: string }>): string {
  const names = new Set([...taken.values()].map((each) => each.name));
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name} ${i}`;
    if (!names.has(candidate)) return candidate;
  }
}

function requireSafetensors({ checkpoint }: OpenModel): void {
  if (!isOnnxExport(checkpoint)) return;
  throw new EngineError(
    "unsupported-architecture",
    `${checkpoint.name} is an ONNX export. The terminal runs .safetensors; drop the folder on the studio's page to fuse it.`,
    { model: checkpoint.name },
  );
}

async function openData(path: string) {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) {
    throw new EngineError(
      "missing-file",
      `${path} is no file. Name a dataset: JSONL, JSON, Parquet or text.`,
      {
        path,
      },
    );
  }
  const opened = await openFiles(path);
  const name = basename(path);
  const [source] = opened.files.values();
  if (!source) throw new EngineError("missing-file", `${path} cannot be read.`, { path });
  const { texts, chats, problems } = await summarizeDataset(source, name);
  const problemCount = problems.reduce((sum, { count }) => sum + count, 0);
  const dataset: StoredDataset = {
    card: {
      ...{ id: path, name, rows: texts + chats, byteLength: source.byteLength, createdAt: 0 },
      kind: chats === 0 ? "text" : texts === 0 ? "chat" : "mixed",
      problems: problems.map(({ reason }) => reason),
      problemCount,
    },
    ...{ file: name, source },
  };
  return { dataset, fingerprint: opened.fingerprint, close: opened.close };
}
