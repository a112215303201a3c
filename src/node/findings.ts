import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Findings } from "../engine/gpu/device.ts";

/** What was found out about adapters, in a file; one that cannot be read or written is as none. */
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
      // Another process never reads half of it.
      const whole = `${path}.${process.pid}`;
      await writeFile(whole, JSON.stringify(all, null, 2));
      await rename(whole, path);
    },
  };
}
