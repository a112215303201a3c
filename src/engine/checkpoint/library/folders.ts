import { LEFT_BY_TRAINING } from "../formats/safetensors/weightFiles.ts";
import { chooseGraph } from "../onnxExport.ts";

/** A checkpoint among dropped files. */
export interface CheckpointFolder {
  /** The folder's name; without a folder, its weight file's without the ending. */
  readonly name: string;
  readonly files: readonly {
    /** As it was dropped. */
    readonly path: string;
    /** As the checkpoint knows it, relative to its folder. */
    readonly name: string;
  }[];
}

const WEIGHTS = /\.(safetensors|bin|pt|pth|ckpt)$/;
/** Files that say: the weights beside me are one model. */
const ONE_MODEL =
  /^(config\.json|model\.safetensors|.+\.index\.json|.+-\d{5}-of-\d{5}\.safetensors)$/;

/**
 * The checkpoints among dropped paths. A folder whose own files include weights is one checkpoint,
 * with all files that lie in it directly; where nothing says that its .safetensors files belong
 * together, each is a checkpoint of its own. A folder with a config.json and no weights but those of
 * an ONNX export, in it or in its folder `onnx`, is one too. Hidden files and folders are left out.
 */
export function listFolders(paths: readonly string[]): readonly CheckpointFolder[] {
  const byFolder = new Map<string, { readonly path: string; readonly name: string }[]>();
  for (const path of paths) {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    const name = parts.pop();
    if (name === undefined || [...parts, name].some((part) => part.startsWith("."))) continue;
    const folder = parts.join("/");
    const files = byFolder.get(folder) ?? [];
    files.push({ path, name });
    byFolder.set(folder, files);
  }
  return [...byFolder].flatMap(([folder, files]) => {
    const weights = files.filter(({ name }) => WEIGHTS.test(name) && !LEFT_BY_TRAINING.test(name));
    const index = files.some(({ name }) => /\.(safetensors|bin)\.index\.json$/.test(name));
    if (weights.length === 0 && !index)
      return listExport(folder, files, byFolder.get(below(folder)));
    if (files.some(({ name }) => ONE_MODEL.test(name))) {
      const stem = weights[0]?.name.replace(WEIGHTS, "") ?? "model";
      return [{ name: nameFolder(folder) || stem, files }];
    }
    return weights.map((file) => ({ name: file.name.replace(WEIGHTS, ""), files: [file] }));
  });
}

const below = (folder: string) => (folder === "" ? "onnx" : `${folder}/onnx`);

/** An ONNX export with all files beside its graph, or nothing. */
function listExport(
  folder: string,
  own: CheckpointFolder["files"],
  exported: CheckpointFolder["files"] = [],
): readonly CheckpointFolder[] {
  const inside = exported.map(({ path, name }) => ({ path, name: `onnx/${name}` }));
  const files = [...own, ...inside];
  const isExport = chooseGraph(files.map(({ name }) => name)) !== undefined;
  if (!isExport || !own.some(({ name }) => name === "config.json")) return [];
  return [{ name: nameFolder(folder) || "model", files }];
}

/** The last part of a folder's path; in the Hub's cache that is a commit, so the model's own name. */
function nameFolder(folder: string): string {
  const cached = /(?:^|\/)models--[^/]*?--([^/]+)\/snapshots\/[^/]+$/.exec(folder)?.[1];
  return cached ?? folder.split("/").at(-1) ?? "";
}
