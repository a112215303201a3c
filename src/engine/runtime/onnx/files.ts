import { refusePointer } from "../../checkpoint/lfsPointer.ts";
import { chooseGraph, listGraphs } from "../../checkpoint/onnxExport.ts";
import { EngineError } from "../../contract/index.ts";
import { type ByteSource, type FileTree, readAll } from "../../core/bytes.ts";
import { clip } from "../../core/json.ts";
import { type GraphFacts, readGraph } from "./graph.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An export as ONNX Runtime loads it. */
export interface OnnxFiles {
  readonly graph: Bytes;
  /** External weights, under the names that the graph gives them. */
  readonly external: readonly { readonly path: string; readonly data: Bytes }[];
  readonly facts: GraphFacts;
}

export interface ReadOptions {
  /** Graph to load, where the folder has several. */
  readonly path?: string;
  readonly signal?: AbortSignal;
  readonly progress?: (doneBytes: number, totalBytes: number, label: string) => void;
}

/** Largest file: a graph is one protobuf message, and each file becomes one array. */
const MAX_FILE_BYTES = 2 ** 31 - 1;
/** Largest export: ONNX Runtime's memory is 4 GiB, of which it needs some for its work. */
const MAX_TOTAL_BYTES = 3.5 * 2 ** 30;

/** A file that was found and not read yet. */
interface Found {
  readonly path: string;
  readonly source: ByteSource;
}

/**
 * Reads an export's graph and weights: the most precise graph, or the one that `path` names
 * (`onnx/model_fp16.onnx`). `missing-file`; `usage` where they exceed what ONNX Runtime can hold in
 * a browser; `lfs-pointer`; `bad-header` for a file that is not ONNX.
 */
export async function readOnnxFiles(
  files: FileTree,
  name: string,
  options: ReadOptions,
): Promise<OnnxFiles> {
  const graph = findGraph(files, name, options.path);
  const others = listGraphs(files.keys()).filter((path) => path !== graph.path);
  checkSizes([graph], others);
  const bytes = await readWhole(graph);
  const facts = readGraph(bytes, graph.path);
  const external = facts.externalPaths.map((location) => ({
    location,
    ...findExternal(files, graph.path, location),
  }));
  const total = checkSizes([graph, ...external], others);
  let done = bytes.byteLength;
  const read: { readonly path: string; readonly data: Bytes }[] = [];
  for (const { location, path, source } of external) {
    options.signal?.throwIfAborted();
    options.progress?.(done, total, path);
    read.push({ path: location, data: await readWhole({ path, source }) });
    done += source.byteLength;
  }
  options.progress?.(done, total, graph.path);
  return { graph: bytes, external: read, facts };
}

function findGraph(files: FileTree, name: string, wanted: string | undefined): Found {
  const graphs = listGraphs(files.keys());
  const path = wanted ?? chooseGraph(files.keys());
  const source = path === undefined ? undefined : files.get(path);
  if (path !== undefined && source) return { path, source };
  const there = graphs.length > 0 ? `; there are ${graphs.slice(0, 4).join(", ")}` : "";
  throw new EngineError(
    "missing-file",
    `${name} has no ${wanted ?? "onnx/model.onnx or model.onnx"}${there}. Export the model with Optimum and give its whole folder.`,
    { model: name, file: wanted ?? "model.onnx" },
  );
}

/** External weights are only looked for beside the graph, whatever path it states. */
function findExternal(files: FileTree, graph: string, location: string): Found {
  const folder = graph.slice(0, graph.lastIndexOf("/") + 1);
  const path = folder + location.replace(/^(\.\/)+/, "");
  const source = files.get(path);
  if (source) return { path, source };
  throw new EngineError(
    "missing-file",
    `${graph} keeps weights in ${clip(path)}, which is not there. Give the whole folder of the export.`,
    { file: path.slice(0, 120), graph },
  );
}

function checkSizes(all: readonly Found[], others: readonly string[]): number {
  const instead =
    others.length === 0
      ? ""
      : ` There is ${others.slice(0, 4).join(", ")} as well: give the folder without ${all[0]?.path} to run that.`;
  let total = 0;
  for (const { path: file, source } of all) {
    const { byteLength } = source;
    total += byteLength;
    if (byteLength <= MAX_FILE_BYTES) continue;
    throw new EngineError(
      "usage",
      `${file} has ${byteLength} bytes; ONNX Runtime reads at most ${MAX_FILE_BYTES} from one file. Export the model with its weights in several smaller external data files, or in fp16 or quantised.${instead}`,
      { file, byteLength, maxBytes: MAX_FILE_BYTES },
    );
  }
  if (total <= MAX_TOTAL_BYTES) return total;
  throw new EngineError(
    "usage",
    `The export's files have ${total} bytes together; ONNX Runtime in a browser holds ${MAX_TOTAL_BYTES}. Export the model in fp16 or quantised.${instead}`,
    { byteLength: total, maxBytes: MAX_TOTAL_BYTES },
  );
}

async function readWhole({ path, source }: Found): Promise<Bytes> {
  await refusePointer(source, path);
  return readAll(source, MAX_FILE_BYTES);
}
