import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readJson, writeJson } from "./jsonFile.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-json-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("what was written is read; nothing is null; a draft does not stay", async () => {
  const path = join(folder, "rows.json");
  expect(await readJson(path)).toBeNull();
  await writeJson(path, [{ id: 1 }]);
  await writeJson(path, [{ id: 2 }]);
  expect(await readJson(path)).toEqual([{ id: 2 }]);
  expect(await readdir(folder)).toEqual(["rows.json"]);
});

test("a file that cannot be read or is no JSON is not taken for an empty one", async () => {
  const path = join(folder, "broken.json");
  await writeFile(path, '[{"id": 1');
  await expect(readJson(path)).rejects.toMatchObject({ code: "bad-header", details: { path } });
  await expect(readJson(folder)).rejects.toMatchObject({ code: "internal" }); // it is a folder
});
