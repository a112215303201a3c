import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MapCache } from "../engine/fuse/align/maps/mapCache.ts";
import { userCache } from "./userCache.ts";
import { replaceFile } from "./wholeWrites.ts";

/**
 * Vocabulary maps as files of little-endian int32. A folder that cannot be used counts as empty.
 */
export function mapsInFolder(folder = userCache("maps")): MapCache {
  const pathOf = (key: string) => join(folder, `${key}.i32`);
  return {
    async load(key) {
      const bytes = await readFile(pathOf(key)).catch(() => null);
      if (!bytes || bytes.byteLength % 4 !== 0) return null;
      return Int32Array.from({ length: bytes.byteLength / 4 }, (_, i) => bytes.readInt32LE(4 * i));
    },
    async save(key, targets) {
      const bytes = Buffer.alloc(4 * targets.length);
      for (const [i, target] of targets.entries()) bytes.writeInt32LE(target, 4 * i);
      try {
        await mkdir(folder, { recursive: true });
        await replaceFile(pathOf(key), bytes);
      } catch {
        // The map will be built again.
      }
    },
  };
}
