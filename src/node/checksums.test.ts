import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withChecksums } from "./checksums.ts";
import { openFolderWriter } from "./folderWriter.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-sums-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const names = ["constructor", "__proto__", "line\nend", "return\r", "-n", "\u202etxt", "a b"];

test("files of any name are written, and sha256sum finds each as it is", async () => {
  const out = join(root, "out");
  const first = await openFolderWriter(out, "k");
  const begun = withChecksums(first);
  for (const name of names) {
    const sink = await begun.open(name, 3);
    await sink.append(new TextEncoder().encode("ab"));
    await sink.flush();
  }
  await first.close();
  const writer = await openFolderWriter(out, "k");
  const summed = withChecksums(writer);
  for (const name of names) {
    const sink = await summed.open(name, 3);
    expect(sink.durableBytes).toBe(2); // `constructor` was not taken for something else
    await sink.append(new TextEncoder().encode("c"));
    await sink.flush();
  }
  await summed.seal();
  await writer.close();
  for (const name of names) expect(await readFile(join(out, name), "utf8")).toBe("abc");
  const check = promisify(execFile)("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: out });
  const told = await check.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null; // no coreutils here
    throw error;
  });
  if (told) expect(told.stdout.match(/: OK/g)).toHaveLength(names.length);
});
