import "fake-indexeddb/auto";
import { sha256 } from "hash-wasm";
import { beforeEach, expect, test } from "vitest";
import { EngineError } from "../contract/index.ts";
import { locksInMemory } from "../core/jobs/locks.ts";
import { folderInMemory } from "../storage/testFolder.ts";
import { exportJob } from "./export.ts";
import { importJob } from "./library/import.ts";
import type { Library } from "./library/library.ts";
import { bytesOf, makeFolder, openTestLibrary, runOnce } from "./library/testFolders.ts";

const FILES = makeFolder("ember");
let library: Library;
let model: string;
beforeEach(async () => {
  ({ library } = await openTestLibrary());
  const kind = importJob({ library, locks: locksInMemory() });
  const { models } = await runOnce(kind, { kind: "import", files: FILES }, {}).result;
  model = models[0] as string;
});

const kindOver = (priv = folderInMemory("private")) =>
  exportJob({ library, openPrivateFolder: async () => priv.handle });
const into = (folder: FileSystemDirectoryHandle | null) => ({ kind: "export", model, folder });
const names = (files: Record<string, Uint8Array>) => Object.keys(files).sort();

async function sumsOf(files: Record<string, Uint8Array>): Promise<string> {
  const lines = Object.entries(files).map(
    async ([path, bytes]) => `${await sha256(bytes)}  ${path}\n`,
  );
  return (await Promise.all(lines)).join("");
}

test("a folder of the person's gets a sub-folder with every byte and the sums", async () => {
  const target = folderInMemory("Models");
  const { notes, downloads } = await runOnce(kindOver(), into(target.handle), {}).result;
  const want = await bytesOf(FILES);
  const got = target.files();
  for (const [path, bytes] of Object.entries(want)) expect(got[`ember/${path}`]).toEqual(bytes);
  expect(names(got)).toEqual([...Object.keys(want), "SHA256SUMS"].map((p) => `ember/${p}`).sort());
  expect(new TextDecoder().decode(got["ember/SHA256SUMS"])).toBe(await sumsOf(want));
  expect(notes).toEqual(["Written to Models/ember, with SHA256SUMS."]);
  expect(downloads).toEqual([]);
});

test("names are data: constructor, __proto__, a line end and a path that another's name spells", async () => {
  const { writer, id } = await library.begin({
    name: "odd",
    origin: "merge",
    byteLength: 0,
    fingerprint: null,
    facts: null,
  });
  const [weights] = makeFolder("one", 1, 1e6).filter(({ path }) =>
    path.endsWith("model.safetensors"),
  );
  const odd = ["constructor", "__proto__", "toString", "a/b.json", "a_b.json", "line\nend.json"];
  const contents = new Map<string, Uint8Array<ArrayBuffer>>(
    odd.map((path, i) => [path, new TextEncoder().encode(`{"n": ${i}}`)]),
  );
  contents.set("model.safetensors", new Uint8Array(await weights!.file.arrayBuffer()));
  for (const [path, bytes] of contents) {
    const sink = await writer.open(path, bytes.byteLength);
    await sink.append(bytes);
    await sink.flush();
  }
  await writer.seal();
  const target = folderInMemory("Models");
  const request = { ...into(target.handle), model: id } as const;
  await runOnce(kindOver(), request, {}).result;
  const got = new Map(Object.entries(target.files()));
  for (const [path, bytes] of contents) expect(got.get(`odd/${path}`)).toEqual(bytes);
  const sums = new TextDecoder().decode(got.get("odd/SHA256SUMS"));
  const n = await sha256(contents.get("line\nend.json")!);
  expect(sums).toContain(`\\${n}  line\\nend.json\n`);
  expect(sums.trimEnd().split("\n")).toHaveLength(contents.size);

  const priv = folderInMemory("private", { sync: true });
  const { downloads } = await runOnce(kindOver(priv), { ...request, folder: null }, {}).result;
  expect(new Set(downloads).size).toBe(contents.size + 1);
});

test("a folder that has something in it is never written over", async () => {
  const target = folderInMemory("Models");
  const theirs = await target.handle.getDirectoryHandle("ember", { create: true });
  const stream = await (
    await theirs.getFileHandle("config.json", { create: true })
  ).createWritable();
  await stream.write(new Uint8Array([1, 2, 3]));
  await stream.close();
  const { notes } = await runOnce(kindOver(), into(target.handle), {}).result;
  expect(target.files()["ember/config.json"]).toEqual(new Uint8Array([1, 2, 3]));
  expect(notes).toEqual(["Written to Models/ember-2, with SHA256SUMS."]);
});

test("without a folder the files are offered as downloads, and deleting the job frees them", async () => {
  const priv = folderInMemory("private", { sync: true });
  const kind = kindOver(priv);
  const { downloads } = await runOnce(kind, into(null), {}).result;
  const want = await bytesOf(FILES);
  expect([...downloads].sort()).toEqual([...Object.keys(want), "SHA256SUMS"].sort());
  expect(priv.files()["exports/job-1/config.json"]).toEqual(want["config.json"]);
  await kind.clean?.("job-1", null);
  expect(priv.files()).toEqual({});
  await kind.clean?.("job-1", null); // there is nothing to free for a job that failed early
});

test("an export that was stopped goes on with the first file that is not done", async () => {
  const controller = new AbortController();
  const writes: string[] = [];
  const target = folderInMemory("Models", {
    onWrite(path) {
      writes.push(path);
      if (path.includes("00002-of")) controller.abort(new EngineError("cancelled", "Cancelled."));
    },
  });
  const request = into(target.handle);
  const first = runOnce(kindOver(), request, { signal: controller.signal });
  await expect(first.result).rejects.toMatchObject({ code: "cancelled" });
  const done = new Set(writes.slice(0, -1));
  expect(done.size).toBeGreaterThan(0);
  writes.length = 0;
  await runOnce(kindOver(), request, { state: first.states.at(-1) }).result;
  expect(writes.filter((path) => done.has(path))).toEqual([]);
  expect(new TextDecoder().decode(target.files()["ember/SHA256SUMS"])).toBe(
    await sumsOf(await bytesOf(FILES)),
  );
});

test.each([
  ["QuotaExceededError", "quota"],
  ["NotAllowedError", "permission"],
  ["NotFoundError", "missing-file"],
  ["NoModificationAllowedError", "busy"],
])("a write that fails with %s is `%s` and names the file", async (name, code) => {
  const target = folderInMemory("Models", {
    onWrite(path) {
      if (path.endsWith("config.json")) throw new DOMException("no", name);
    },
  });
  await expect(runOnce(kindOver(), into(target.handle), {}).result).rejects.toMatchObject({
    code,
    details: { file: "config.json" },
  });
});

test("a folder whose permission has lapsed is refused before a job begins", async () => {
  const { handle } = folderInMemory("Models", { permission: "prompt" });
  const request = { kind: "export", model, folder: handle } as const;
  await expect(kindOver().prepare(request)).rejects.toMatchObject({ code: "permission" });
});

test("an export can be imported again and is the same checkpoint", async () => {
  const priv = folderInMemory("private");
  const { downloads } = await runOnce(kindOver(priv), into(null), {}).result;
  const files = downloads.map((path) => {
    const bytes = priv.files()[`exports/job-1/${path}`] as Uint8Array<ArrayBuffer>;
    return { path: `again/${path}`, file: new Blob([bytes]) as File };
  });
  const kind = importJob({ library, locks: locksInMemory() });
  const { models } = await runOnce(kind, { kind: "import", files }, {}).result;
  const [one, two] = [await library.open(model), await library.open(models[0] as string)];
  for (const [name, tensor] of one.tensors) {
    const other = two.tensors.get(name);
    if (!other) throw new Error(`${name} is gone`);
    expect(await other.source.read(other.start, other.byteLength)).toEqual(
      await tensor.source.read(tensor.start, tensor.byteLength),
    );
  }
});
