import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mapsInFolder } from "./mapFiles.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-maps-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a map comes back as it was; one that is not there is null", async () => {
  const cache = mapsInFolder(join(folder, "a", "b"));
  expect(await cache.load("mined-1")).toBeNull();
  await cache.save("mined-1", Int32Array.of(5, -1, 2 ** 31 - 1));
  expect(await cache.load("mined-1")).toEqual(Int32Array.of(5, -1, 2 ** 31 - 1));
  expect(await readdir(join(folder, "a", "b"))).toEqual(["mined-1.i32"]);
});

test("a folder that cannot be made is done without", async () => {
  await writeFile(join(folder, "file"), "");
  const cache = mapsInFolder(join(folder, "file"));
  await cache.save("mined-1", Int32Array.of(1));
  expect(await cache.load("mined-1")).toBeNull();
});
