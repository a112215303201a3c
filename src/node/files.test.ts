import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withChecksums } from "./checksums.ts";
import { openFiles, readInput } from "./files.ts";
import { openFolderWriter } from "./folderWriter.ts";

const bytesOf = (text: string) => new Uint8Array(new TextEncoder().encode(text));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a folder's files are read by relative path, links to files included", async () => {
  await mkdir(join(folder, "m/sub"), { recursive: true });
  await writeFile(join(folder, "blob"), "weights");
  await symlink("../blob", join(folder, "m/model.safetensors"));
  await writeFile(join(folder, "m/sub/a.json"), "{}");
  await symlink("..", join(folder, "m/circle"));
  const { files, close } = await openFiles(join(folder, "m"));
  expect([...files.keys()]).toEqual(["model.safetensors", "sub/a.json"]);
  expect(new TextDecoder().decode(await files.get("model.safetensors")?.read(2, 3))).toBe("igh");
  await close();
});

test("a source that became shorter is truncated, not short", async () => {
  await writeFile(join(folder, "a"), "0123456789");
  const { files, close } = await openFiles(join(folder, "a"));
  await truncate(join(folder, "a"), 5);
  await expect(files.get("a")?.read(0, 10)).rejects.toMatchObject({ code: "truncated" });
  await expect(files.get("a")?.read(8, 3)).rejects.toMatchObject({ code: "truncated" });
  await close();
});

test("a model that is not there is missing-file", async () => {
  await expect(openFiles(join(folder, "nothing"))).rejects.toMatchObject({ code: "missing-file" });
});

// A device that never ends; Windows has none.
test.runIf(existsSync("/dev/zero"))(
  "a device is refused at once, and is no file of a folder",
  async () => {
    await expect(openFiles("/dev/zero")).rejects.toMatchObject({ code: "permission" });
    await expect(readInput("/dev/zero", 10)).rejects.toMatchObject({ code: "permission" });
    await symlink("/dev/zero", join(folder, "model.safetensors"));
    const { files } = await openFiles(folder);
    expect([...files.keys()]).toEqual([]);
  },
);

test("a file that is read whole is bounded, and no folder", async () => {
  await writeFile(join(folder, "a"), "0123456789");
  expect(new TextDecoder().decode(await readInput(join(folder, "a"), 10))).toBe("0123456789");
  await expect(readInput(join(folder, "a"), 9)).rejects.toThrow("has 10 bytes; at most 9 are read");
  await expect(readInput(folder, 10)).rejects.toThrow("is a folder");
});

test("files appear under their names at the seal, and not before", async () => {
  const out = join(folder, "out");
  const writer = await openFolderWriter(out, "k");
  const sink = await writer.open("model.safetensors", 6);
  await sink.append(bytesOf("abc"));
  await sink.append(bytesOf("def"));
  await sink.flush();
  expect(await readdir(out)).toEqual([".fusestudio"]);
  await writer.seal();
  await writer.close();
  expect(await readdir(out)).toEqual(["model.safetensors"]);
  expect(await readFile(join(out, "model.safetensors"), "utf8")).toBe("abcdef");
});

test("a second writer goes on after the last flush, and rewrites what came after it", async () => {
  const out = join(folder, "out");
  const first = await openFolderWriter(out, "k");
  const sink = await first.open("a/b.bin", 6);
  await sink.append(bytesOf("abc"));
  await sink.flush();
  await sink.append(bytesOf("XX"));
  await first.close();

  const second = await openFolderWriter(out, "k");
  expect(second.resumedBytes).toBe(3);
  const again = await second.open("a/b.bin", 6);
  expect(again.durableBytes).toBe(3);
  await again.append(bytesOf("def"));
  await second.seal();
  await second.close();
  expect(await readFile(join(out, "a/b.bin"), "utf8")).toBe("abcdef");
});

test("a seal that ended half way is finished by the next run", async () => {
  const out = join(folder, "out");
  const first = await openFolderWriter(out, "k");
  for (const name of ["a", "b"]) {
    const sink = await first.open(name, 1);
    await sink.append(bytesOf(name));
    await sink.flush();
  }
  await first.close();
  await writeFile(join(out, "a"), "a");
  await rm(join(out, ".fusestudio/parts/a"));

  const second = await openFolderWriter(out, "k");
  expect((await second.open("a", 1)).durableBytes).toBe(1);
  expect((await second.open("b", 1)).durableBytes).toBe(1);
  await second.seal();
  await second.close();
  expect((await readdir(out)).sort()).toEqual(["a", "b"]);
});

test("a folder with files of somebody else is refused and left alone", async () => {
  await writeFile(join(folder, "thesis.txt"), "x");
  await expect(openFolderWriter(folder, "k")).rejects.toMatchObject({ code: "permission" });
  expect(await readdir(folder)).toEqual(["thesis.txt"]);
});

test("another recipe's unfinished folder is refused, and stays free for its own", async () => {
  const out = join(folder, "out");
  const first = await openFolderWriter(out, "one");
  const sink = await first.open("a", 2);
  await sink.append(bytesOf("a"));
  await sink.flush();
  await first.close();
  await expect(openFolderWriter(out, "two")).rejects.toMatchObject({ code: "permission" });
  const again = await openFolderWriter(out, "one");
  expect(again.resumedBytes).toBe(1);
  await again.close();
});

test("a run that wrote nothing leaves no folder behind", async () => {
  const out = join(folder, "out");
  const writer = await openFolderWriter(out, "k");
  await writer.close();
  expect(await readdir(folder)).toEqual([]);
});

test("checksums cover what an earlier run wrote", async () => {
  const out = join(folder, "out");
  const write = async (text: string) => {
    const writer = await openFolderWriter(out, "k");
    const summed = withChecksums(writer);
    const sink = await summed.open("a", 6);
    await sink.append(bytesOf(text));
    await sink.flush();
    return { writer, summed };
  };
  await (await write("abc")).writer.close();
  const { writer, summed } = await write("def");
  await summed.seal();
  await writer.close();
  const sum = createHash("sha256").update("abcdef").digest("hex");
  expect(await readFile(join(out, "SHA256SUMS"), "utf8")).toBe(`${sum}  a\n`);
});

test("a folder that is being written is busy; a dead writer's lock is void", async () => {
  const out = join(folder, "out");
  const writer = await openFolderWriter(out, "k");
  await expect(openFolderWriter(out, "k")).rejects.toMatchObject({ code: "busy" });
  await writeFile(join(out, ".fusestudio/lock"), "999999999");
  const next = await openFolderWriter(out, "k");
  await next.close();
  await writer.close();
});

test("a file that is not complete cannot be sealed", async () => {
  const writer = await openFolderWriter(join(folder, "out"), "k");
  const sink = await writer.open("a", 3);
  await sink.append(bytesOf("ab"));
  await expect(writer.seal()).rejects.toThrow(/2 of 3 bytes/);
  await writer.close();
});
