import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findingsInFile } from "./findings.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-findings-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("what is found out is there in the next process, beside what others found out", async () => {
  const path = join(folder, "new", "adapters.json");
  await findingsInFile(path).set("one", { a: "lanes" });
  await findingsInFile(path).set("two", 2);
  const later = findingsInFile(path);
  expect([await later.get("one"), await later.get("two")]).toEqual([{ a: "lanes" }, 2]);
  expect(await later.get("three")).toBeUndefined();
  expect(await readdir(join(folder, "new"))).toEqual(["adapters.json"]);
});

test("a file that is no JSON counts as none", async () => {
  const path = join(folder, "adapters.json");
  for (const text of ["{half", "null", "3"]) {
    await writeFile(path, text);
    expect(await findingsInFile(path).get("one")).toBeUndefined();
  }
  await findingsInFile(path).set("one", 1);
  expect(await findingsInFile(path).get("one")).toBe(1);
});
