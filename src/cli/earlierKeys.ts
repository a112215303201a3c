import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { FusionSettings, Recipe } from "../engine/contract/index.ts";
import type { OpenModel } from "./openModel.ts";

/**
 * The keys by which version 0.1.0 knew the outputs that it left half done: hashes of its own version,
 * the request, and of every file of the inputs its name, size and time of change.
 */
const VERSION = "0.1.0";

/** The SHA-256 of plain parts, in hex. */
const hash = (...parts: readonly unknown[]) =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex");

/** What 0.1.0 noted of the files below a place, or of the one file that the place is. */
export async function earlierMark(place: string, paths: Iterable<string>): Promise<string> {
  const isFolder = (await stat(place)).isDirectory();
  const files: { path: string; size: number; mtimeMs: number }[] = [];
  for (const path of paths) {
    const { size, mtimeMs } = await stat(isFolder ? join(place, path) : place);
    files.push({ path, size, mtimeMs });
  }
  return JSON.stringify(files);
}

const markOf = ({ place, files }: Pick<OpenModel, "place" | "files">) =>
  earlierMark(place, files.files.keys());

/** The id that 0.1.0 gave an input of a fusion. */
export const earlierId = (path: string, mark: string) => `${path} ${hash(mark).slice(0, 16)}`;

/** The settings as 0.1.0 wrote them; null where they ask for what it did not know. */
function earlierSettings({ systemIntoUser, textColumn, ...settings }: FusionSettings) {
  if (systemIntoUser || textColumn !== null) return null;
  if (settings.profile === "studio") return settings;
  const { profile, vocabulary, matrix, fallback, ...first } = settings;
  return { ...first, profile, vocabulary, matrix, fallback };
}

/** Of `studio merge`, from the recipe as its file states it. */
export async function earlierMergeKey(
  recipe: Recipe,
  shardBytes: number,
  models: Iterable<readonly [place: string, model: OpenModel]>,
): Promise<string> {
  const marks: (readonly [string, string])[] = [];
  for (const [place, model] of models) marks.push([place, await markOf(model)]);
  return hash(VERSION, JSON.stringify([recipe, shardBytes, marks]));
}

/** Of `studio fuse`, from the request with 0.1.0's ids. */
export function earlierFuseKey<Request extends { readonly settings: FusionSettings }>(
  request: Request,
): string | null {
  const settings = earlierSettings(request.settings);
  return settings && hash(VERSION, { ...request, settings });
}

/** Of `studio fusechat`, from the request with 0.1.0's ids. */
export function earlierPipelineKey<Request extends { readonly fusion: FusionSettings }>(
  request: Request,
): string | null {
  const fusion = earlierSettings(request.fusion);
  return fusion && hash({ ...request, fusion });
}

/** Of `studio distill`. */
export async function earlierDistillKey(
  pivot: OpenModel,
  data: string,
  settings: object,
): Promise<string> {
  const { mtimeMs, size } = await stat(data);
  return hash(VERSION, await markOf(pivot), data, mtimeMs, size, settings);
}
