import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimFolder } from "./claimedFolder.ts";
import { openFolderWriter } from "./folderWriter.ts";
import { ownIdentity } from "./processes.ts";
import { openWorkFolder } from "./workFolder.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-claim-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("a file, a folder below a file and /proc are refused soon, with what to do", async () => {
  await writeFile(join(root, "file"), "mine");
  const places = [join(root, "file"), join(root, "file", "below")];
  if (process.platform === "linux") places.push("/proc/fusestudio", "/proc/fusestudio/below");
  for (const place of places) {
    await expect(claimFolder(place, "merge")).rejects.toMatchObject({ code: "permission" });
  }
  expect(await readFile(join(root, "file"), "utf8")).toBe("mine");
});

test("a work folder that leads elsewhere is refused, and what lies there stays", async () => {
  const [mine, out] = [join(root, "mine"), join(root, "out")];
  await Promise.all([mkdir(mine), mkdir(out)]);
  await writeFile(join(mine, "model.safetensors"), "mine");
  await symlink(mine, join(out, ".fusestudio"));
  await expect(claimFolder(out, "merge")).rejects.toMatchObject({ code: "permission" });
  expect(await readdir(mine)).toEqual(["model.safetensors"]);
});

test("what file managers and Git leave behind does not count, and stays", async () => {
  const out = join(root, "out");
  await mkdir(out);
  for (const name of [".DS_Store", ".gitkeep"]) await writeFile(join(out, name), name);
  const writer = await openFolderWriter(out, "k");
  const sink = await writer.open("a", 1);
  await sink.append(new Uint8Array(1));
  await sink.flush();
  await writer.seal();
  await writer.close();
  expect((await readdir(out)).sort()).toEqual([".DS_Store", ".gitkeep", "a"]);
});

test("a folder that was there before stays, also where nothing came of it", async () => {
  const there = join(root, "there");
  await mkdir(there);
  for (const out of [there, join(root, "new")]) {
    await (await openFolderWriter(out, "k")).close();
  }
  expect(await readdir(root)).toEqual(["there"]);
  expect(await readdir(there)).toEqual([]);
});

test("the key is written before anything is measured", async () => {
  const out = join(root, "out");
  await openFolderWriter(out, "one"); // and then its process was killed
  const state = JSON.parse(await readFile(join(out, ".fusestudio/state.json"), "utf8"));
  expect(state).toEqual({ key: "one", files: {} });
  await rm(join(out, ".fusestudio/lock"));
  await expect(openFolderWriter(out, "two")).rejects.toMatchObject({ code: "permission" });
  await (await openFolderWriter(out, "one")).close();

  const work = await openWorkFolder(join(root, "work"), "one");
  expect(JSON.parse(await readFile(join(work.work, "state.json"), "utf8"))).toEqual({
    key: "one",
    state: null,
  });
  await work.close();
});

test("two containers with one process id do not write one folder", async () => {
  const out = join(root, "out");
  const elsewhere = async () => ({ ...(await ownIdentity()), host: "b", ids: "pid:[2]" });
  const claimed = await claimFolder(out, "merge");
  await expect(claimFolder(out, "merge", elsewhere)).rejects.toMatchObject({ code: "busy" });
  await claimed.release();
  await (await claimFolder(out, "merge", elsewhere)).clear();
  expect(await readdir(out)).toEqual([]);
});

test("a folder that was finished while its lock was awaited is not begun anew", async () => {
  const out = join(root, "out");
  await mkdir(join(out, ".fusestudio"), { recursive: true });
  await writeFile(join(out, "model.safetensors"), "done");
  await expect(claimFolder(out, "merge")).rejects.toMatchObject({ code: "permission" });
  expect(await readdir(out)).toContain("model.safetensors");
});

test("of processes that begin at once one writes, and the others are told", async () => {
  const bundle = join(root, "bundle");
  await build({
    configFile: false,
    logLevel: "silent",
    publicDir: false,
    build: {
      ssr: join(import.meta.dirname, "claimedFolder.ts"),
      outDir: bundle,
      emptyOutDir: true,
    },
  });
  const script = join(bundle, "race.mjs");
  await writeFile(
    script,
    `import { claimFolder } from "./claimedFolder.js";
     const [folder, start] = process.argv.slice(2);
     await new Promise((go) => setTimeout(go, Number(start) - Date.now()));
     console.log(await claimFolder(folder, "merge").then(() => "mine", ({ code }) => code));
     setTimeout(() => undefined, 1500); // what was taken is held`,
  );
  const start = String(Date.now() + 1000);
  const run = promisify(execFile);
  const race = Array.from({ length: 4 }, () =>
    run(process.execPath, [script, join(root, "out"), start]),
  );
  const told = (await Promise.all(race)).map(({ stdout }) => stdout.trim());
  expect(told.sort()).toEqual(["busy", "busy", "busy", "mine"]);
}, 30_000);
