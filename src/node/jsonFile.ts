import { readFile } from "node:fs/promises";
import { EngineError } from "../engine/contract/index.ts";
import { fileFailure, guarded } from "./files.ts";
import { type OpenFile, replaceFile } from "./wholeWrites.ts";

/**
 * Plain data that `writeJson` wrote; null where the file is missing. `bad-header` where it is no
 * JSON; fields are not checked.
 */
export async function readJson<T>(path: string): Promise<T | null> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw fileFailure(error, path);
  });
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    const message = `${path} was changed by something else: it is no JSON. Move its folder away and start again.`;
    throw new EngineError("bad-header", message, { path }, error);
  }
}

/** Replaces a file atomically: readers find the old data or the new. */
export function writeJson(path: string, value: unknown, openFile?: OpenFile): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return guarded(path, () => replaceFile(path, bytes, openFile));
}
