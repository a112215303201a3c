import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { deserialize } from "node:v8";
import { gunzipSync } from "node:zlib";

/**
 * For tests: writes the files of an output that an earlier version left half done into `folder`, from
 * `goldens/stores`. `change` rewrites names and JSON, which hold the places and times of its inputs.
 */
export async function restoreFolder(
  name: string,
  folder: string,
  change: (text: string) => string,
): Promise<void> {
  const packed = readFileSync(join("goldens", "stores", `${name}.v8.gz`));
  const files = deserialize(gunzipSync(packed)) as Readonly<Record<string, Uint8Array>>;
  for (const [path, bytes] of Object.entries(files)) {
    const place = join(folder, change(path));
    await mkdir(dirname(place), { recursive: true });
    const isText = path.endsWith(".json");
    await writeFile(place, isText ? change(new TextDecoder().decode(bytes)) : bytes);
  }
}
