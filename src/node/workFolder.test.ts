import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openFolderLibrary } from "./folderLibrary.ts";
import { openWorkFolder } from "./workFolder.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-work-"));
});
afterAll(() => rm(root, { recursive: true }));

test("work goes on from its last state, and refuses another's", async () => {
  const folder = join(root, "kept");
  const first = await openWorkFolder<number>(folder, "one");
  expect(first.state).toBeNull();
  await first.save(1);
  await first.save(2);
  await expect(openWorkFolder(folder, "one")).rejects.toMatchObject({ code: "busy" });
  await first.close();
  await expect(openWorkFolder(folder, "two")).rejects.toMatchObject({ code: "permission" });
  const again = await openWorkFolder<number>(folder, "one");
  expect(again.state).toBe(2);
  await again.close();
});

test("work that is given up leaves the folder to any other", async () => {
  const folder = join(root, "given up");
  const first = await openWorkFolder<number>(folder, "one");
  await first.save(1);
  first.forget();
  await first.close();
  const other = await openWorkFolder<number>(folder, "two");
  expect(other.state).toBeNull();
  await other.close();
});

test("a run that was killed before it saved anything is gone over", async () => {
  const folder = join(root, "killed");
  const killed = await openWorkFolder(folder, "one");
  await (await openFolderLibrary(join(killed.work, "models"), [])).close();
  await writeFile(join(killed.work, "catalogue.json"), "[]");
  await killed.records.append("a folder", [new Uint8Array(3)]);
  await killed.records.close();
  await rm(join(killed.work, "lock")); // whoever held it is gone
  const again = await openWorkFolder(folder, "another");
  expect(again.state).toBeNull();
  await again.close();
});

test("a folder with anything else is left alone", async () => {
  const folder = join(root, "foreign");
  const opened = await openWorkFolder(folder, "one");
  await writeFile(join(opened.work, "parts"), "a merge's");
  await rm(join(opened.work, "lock"));
  await expect(openWorkFolder(folder, "one")).rejects.toMatchObject({ code: "permission" });
});
