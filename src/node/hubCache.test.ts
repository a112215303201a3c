import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openFiles } from "./files.ts";
import { locateModel } from "./hubCache.ts";

let home: string;
let folder: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "hub-"));
  folder = join(home, "hub", "models--acme--ember-7B");
  vi.stubEnv("HF_HOME", home);
  vi.stubEnv("HF_HUB_CACHE", undefined);
  vi.stubEnv("HUGGINGFACE_HUB_CACHE", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

/** A snapshot as huggingface_hub makes it: links to blobs that are called by their hashes. */
function download(commit: string, content: string): string {
  const snapshot = join(folder, "snapshots", commit);
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(join(folder, "blobs"), { recursive: true });
  writeFileSync(join(folder, "blobs", `${commit}f`), content);
  symlinkSync(`../../blobs/${commit}f`, join(snapshot, "config.json"));
  return snapshot;
}
function pointMain(commit: string) {
  mkdirSync(join(folder, "refs"), { recursive: true });
  writeFileSync(join(folder, "refs", "main"), commit);
}

test("a folder of the cache is the snapshot that main names, read through its links", async () => {
  const old = download("0".repeat(40), "old");
  const now = download("1".repeat(40), "now");
  pointMain("1".repeat(40));
  expect(await locateModel(folder)).toBe(now);
  expect(await locateModel("acme/ember-7B")).toBe(now);
  expect(await locateModel("/nowhere/acme/ember-7B", "acme/ember-7B")).toBe(now);
  const { files, close } = await openFiles(now);
  const source = files.get("config.json")!;
  expect(new TextDecoder().decode(await source.read(0, source.byteLength))).toBe("now");
  await close();
  expect(await locateModel(old)).toBe(old);
});

test("without main the only snapshot is meant, and of two none", async () => {
  const only = download("a".repeat(40), "only");
  expect(await locateModel(folder)).toBe(only);
  download("b".repeat(40), "second");
  await expect(locateModel(folder)).rejects.toMatchObject({
    code: "missing-file",
    details: { snapshots: 2 },
  });
});

test("main cannot lead out of the snapshots", async () => {
  const only = download("a".repeat(40), "only");
  pointMain("../../..");
  expect(await locateModel(folder)).toBe(only);
});

test("any other path is itself, whether it is there or not", async () => {
  mkdirSync(join(home, "acme"));
  expect(await locateModel(join(home, "acme"))).toBe(join(home, "acme"));
  expect(await locateModel("acme/unknown")).toBe("acme/unknown");
  vi.stubEnv("HF_HUB_CACHE", join(home, "elsewhere"));
  expect(await locateModel("acme/ember-7B")).toBe("acme/ember-7B");
});
