import { findFormat, isWeightFile } from "../formatRegistry.ts";
import { nameInHubCache } from "../hubNames.ts";
import { isTrainingState } from "../trainingState.ts";

/** A checkpoint among dropped files. */
export interface CheckpointFolder {
  /**
   * Name of the folder, `owner/name` in the Hub's cache; without a folder the weight file's stem.
   */
  readonly name: string;
  readonly files: readonly {
    /** Path as it was dropped. */
    readonly path: string;
    /** Path relative to the checkpoint's folder. */
    readonly name: string;
  }[];
}

/** Files whose presence says that the weights beside them are one model. */
const ONE_MODEL =
  /^(config\.json|adapter_config\.json|model\.safetensors|.+\.index\.json|.+-\d{5}-of-\d{5}\.safetensors)$/;
/**
 * Folder of a sentence-transformers module, whose weights belong to the model in the folder above.
 */
const MODULE = /^\d+_[A-Z]\w*$/;

/**
 * Checkpoints among dropped paths: the folders that a format matches, each with all files in it and
 * below, except another checkpoint's. Weight files without a config or index are checkpoints of
 * their own. Hidden files and folders are left out.
 */
export function listFolders(paths: readonly string[]): readonly CheckpointFolder[] {
  const clean = paths.flatMap((path) => {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    const hidden = parts.length === 0 || parts.some((part) => part.startsWith("."));
    return hidden ? [] : [{ path, parts }];
  });
  const inside = new Map<string, { readonly path: string; readonly name: string }[]>();
  for (const { path, parts } of clean) {
    for (let depth = 0; depth < parts.length; depth++) {
      // Loose files belong to one checkpoint, with the folder of an ONNX export below.
      if (depth === 0 && parts.length > 1 && parts[0] !== "onnx") continue;
      const folder = parts.slice(0, depth).join("/");
      const files = inside.get(folder) ?? [];
      files.push({ path, name: parts.slice(depth).join("/") });
      inside.set(folder, files);
    }
  }
  const claimed = new Set(
    [...inside].flatMap(([folder, files]) => {
      const isPart =
        (MODULE.test(lastPart(folder)) && hasModules(inside, folder)) ||
        isTrainingState(`${folder}/…`);
      return !isPart && findFormat(files.map(({ name }) => name)) ? [folder] : [];
    }),
  );
  return [...claimed].flatMap((folder) => {
    const files = inside.get(folder)!.filter(({ name }) => !isBelowAnother(folder, name, claimed));
    return describeFolder(folder, files);
  });
}

function describeFolder(
  folder: string,
  files: CheckpointFolder["files"],
): readonly CheckpointFolder[] {
  const weights = files.filter(({ name }) => isWeightFile(name) && !name.includes("/"));
  const stemOf = (name: string) => name.replace(/\.[^.]*$/, "");
  if (weights.length === 0 || files.some(({ name }) => ONE_MODEL.test(name))) {
    const name = nameFolder(folder) || stemOf(weights[0]?.name ?? "model.");
    return [{ name, files }];
  }
  return weights.map((file) => ({ name: stemOf(file.name), files: [file] }));
}

const lastPart = (folder: string) => folder.slice(folder.lastIndexOf("/") + 1);

/** Whether the folder above lists its modules, as sentence-transformers does. */
function hasModules(
  inside: ReadonlyMap<string, CheckpointFolder["files"]>,
  folder: string,
): boolean {
  const above = inside.get(folder.slice(0, Math.max(0, folder.lastIndexOf("/"))));
  return above?.some(({ name }) => name === "modules.json") ?? false;
}

/** Whether a file is in a deeper folder that is a checkpoint of its own. */
function isBelowAnother(folder: string, name: string, claimed: ReadonlySet<string>): boolean {
  const parts = name.split("/").slice(0, -1);
  return parts.some((_, i) => {
    const below = parts.slice(0, i + 1).join("/");
    return claimed.has(folder === "" ? below : `${folder}/${below}`);
  });
}

/** Last part of a folder's path; in the Hub's cache, where that is a commit, the model's name. */
function nameFolder(folder: string): string {
  return nameInHubCache(folder) ?? lastPart(folder);
}
