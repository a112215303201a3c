import { EngineError } from "../../contract/index.ts";
import type { FileTree } from "../../core/bytes.ts";
import { clip } from "../../core/json.ts";
import type { CheckpointTensor } from "../checkpoint.ts";
import { defineFormat, topLevel } from "../checkpointFormat.ts";
import { listSome } from "../smallFile.ts";
import { MAX_HEADER_BYTES, readHeader, type SafetensorsHeader } from "./safetensors/header.ts";
import { findWeightFiles, type WeightFiles } from "./safetensors/weightFiles.ts";

/** Headers read at once: enough to hide a disk's latency, little memory. */
const HEADERS_AT_ONCE = 4;
const SAFETENSORS = /\.safetensors$/;
/** Files of PEFT adapters, which are no models. */
const ADAPTER = /^adapter_/;

/** safetensors: a JSON header and the tensors' bytes, in one file or in shards with an index. */
export default defineFormat({
  title: "safetensors",
  order: 10,
  isWeights: (path) => SAFETENSORS.test(path),
  match: (paths) =>
    topLevel(paths).some(
      (path) =>
        (SAFETENSORS.test(path) && !ADAPTER.test(path)) || path.endsWith(".safetensors.index.json"),
    ),
  /** Recognised by a plausible header length. */
  begins(first) {
    if (first.byteLength < 8) return false;
    const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
    return length <= BigInt(MAX_HEADER_BYTES);
  },
  async open(files, name) {
    const found = await findWeightFiles(files, name);
    const headers = await readHeaders(files, found.paths);
    const tensors = gatherTensors(files, found, headers);
    return { tensors, files: found.paths, notes: indexNotes(found, tensors) };
  },
});

async function readHeaders(
  files: FileTree,
  paths: readonly string[],
): Promise<readonly SafetensorsHeader[]> {
  const headers: SafetensorsHeader[] = [];
  for (let i = 0; i < paths.length; i += HEADERS_AT_ONCE) {
    const some = paths.slice(i, i + HEADERS_AT_ONCE);
    headers.push(...(await Promise.all(some.map((path) => readHeader(files.get(path)!, path)))));
  }
  return headers;
}

function gatherTensors(
  files: FileTree,
  { paths, places }: WeightFiles,
  headers: readonly SafetensorsHeader[],
): ReadonlyMap<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  for (const [i, { tensors: inFile }] of headers.entries()) {
    const file = paths[i]!;
    const source = files.get(file)!;
    for (const tensor of inFile) {
      const other = tensors.get(tensor.name);
      if (other) {
        throw new EngineError(
          "bad-header",
          `${clip(tensor.name)} is both in ${other.file} and in ${file}; a checkpoint has each tensor once.`,
          { tensor: tensor.name.slice(0, 120), file, other: other.file },
        );
      }
      tensors.set(tensor.name, { ...tensor, file, source });
    }
  }
  for (const [tensor, file] of places ?? []) {
    if (tensors.get(tensor)?.file === file) continue;
    throw new EngineError(
      "missing-tensor",
      `The index puts ${clip(tensor)} into ${file}, but it is not there. Index and shards are not of one model, or one of them is damaged.`,
      { tensor: tensor.slice(0, 120), file },
    );
  }
  return tensors;
}

function indexNotes(
  { places }: WeightFiles,
  tensors: ReadonlyMap<string, CheckpointTensor>,
): readonly string[] {
  if (!places) return [];
  const extra = [...tensors.keys()].filter((name) => !places.has(name));
  return extra.length > 0 ? [`Not in the index, but in its shards: ${listSome(extra)}.`] : [];
}
