import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Findings } from "../engine/gpu/device.ts";
import { replaceFile } from "./wholeWrites.ts";

/** Findings about adapters in a file; one that cannot be read or written counts as empty. */
export function findingsInFile(path: string): Findings {
  const read = async (): Promise<Record<string, unknown>> => {
    try {
      const all: unknown = JSON.parse(await readFile(path, "utf8"));
      return typeof all === "object" && all !== null ? { ...all } : {};
    } catch {
      return {}; // not there yet, or no longer JSON
    }
  };
  return {
    get: async (key) => (await read())[key],
    async set(key, value) {
      const all = { ...(await read()), [key]: value };
      await mkdir(dirname(path), { recursive: true });
      await replaceFile(path, new TextEncoder().encode(JSON.stringify(all, null, 2)));
    },
  };
}
