import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { poorDisk } from "./diskTestParts.ts";
import { openFolderWriter } from "./folderWriter.ts";
import { readJson, writeJson } from "./jsonFile.ts";
import { openRecordFiles } from "./recordFiles.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-writes-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255);

test("records are whole on a disk that takes a few bytes at a time", async () => {
  const { disk, openFile } = poorDisk({ most: 3 });
  const written = [bytes(100, 1), bytes(1, 2), bytes(50, 3)];
  const store = openRecordFiles(root, openFile);
  await store.append("a", written.slice(0, 2));
  await store.append("a", written.slice(2));
  expect(await store.read("a", 0, 9)).toEqual(written);
  await store.close();
  expect(disk.writes).toBeGreaterThan(50); // the disk was as bad as it should be
  const again = openRecordFiles(root);
  expect(await again.read("a", 0, 9)).toEqual(written);
  await again.close();
});

test.each([0, 1, 7, 8, 30, 107])(
  "a disk that is full after %i more bytes loses nothing that was acknowledged",
  async (room) => {
    const { disk, openFile } = poorDisk({ most: 5 });
    const store = openRecordFiles(root, openFile);
    await store.append("a", [bytes(10, 1), bytes(20, 2)]);
    disk.room = room; // a record of 100 bytes takes 108
    await expect(store.append("a", [bytes(100, 3)])).rejects.toMatchObject({ code: "quota" });
    expect(await store.read("a", 0, 9)).toEqual([bytes(10, 1), bytes(20, 2)]);
    disk.room = Number.POSITIVE_INFINITY;
    expect(await store.append("a", [bytes(4, 4)])).toBe(2);
    await store.close();
    const again = openRecordFiles(root);
    expect(await again.read("a", 0, 9)).toEqual([bytes(10, 1), bytes(20, 2), bytes(4, 4)]);
    await again.close();
  },
);

test("what an append wrote before the disk was full counts, and can be gone on from", async () => {
  const { disk, openFile } = poorDisk({ most: 64 });
  const store = openRecordFiles(root, openFile);
  await store.append("a", [bytes(1, 1)]);
  disk.room = 30; // one record of 10 bytes takes 18
  await expect(store.append("a", [bytes(10, 2), bytes(10, 3)])).rejects.toMatchObject({
    code: "quota",
  });
  expect(await store.count("a")).toBe(2);
  await store.close();
  const again = openRecordFiles(root);
  expect(await again.read("a", 0, 9)).toEqual([bytes(1, 1), bytes(10, 2)]);
  await again.close();
});

test("a JSON file that could not be replaced is as it was, and leaves no draft", async () => {
  const path = join(root, "state.json");
  await writeJson(path, { before: true });
  const { openFile } = poorDisk({ most: 4, room: 9 });
  await expect(writeJson(path, { after: "x".repeat(100) }, openFile)).rejects.toMatchObject({
    code: "quota",
  });
  expect(await readJson(path)).toEqual({ before: true });
  expect(await readdir(root)).toEqual(["state.json"]);
  const { openFile: short } = poorDisk({ most: 4 });
  await writeJson(path, { after: "x".repeat(100) }, short);
  expect(await readJson(path)).toEqual({ after: "x".repeat(100) });
});

test("a checkpoint is whole on a disk that writes short, and goes on after a full one", async () => {
  const out = join(root, "out");
  const whole = bytes(1000, 5);
  const { disk, openFile } = poorDisk({ most: 11 });
  const first = await openFolderWriter(out, "k", { openFile });
  const sink = await first.open("model.safetensors", 1000);
  await sink.append(whole.slice(0, 400));
  await sink.flush();
  disk.room = 100;
  await expect(sink.append(whole.slice(400, 800))).rejects.toMatchObject({ code: "quota" });
  await first.close();
  // A disk that stays full costs nothing either.
  const full = await openFolderWriter(out, "k", { openFile });
  await expect(
    full.open("model.safetensors", 1000).then((s) => s.append(whole.slice(400))),
  ).rejects.toMatchObject({ code: "quota" });
  await full.close();
  const second = await openFolderWriter(out, "k", poorDisk({ most: 11 }));
  expect(second.resumedBytes).toBe(400);
  const again = await second.open("model.safetensors", 1000);
  await again.append(whole.slice(400));
  await again.flush();
  await second.seal();
  await second.close();
  expect(new Uint8Array(await readFile(join(out, "model.safetensors")))).toEqual(whole);
  expect(await readdir(out)).toEqual(["model.safetensors"]);
});
