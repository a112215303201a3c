import "fake-indexeddb/auto";
import { keys, set } from "idb-keyval";
import { expect, test } from "vitest";
import { bytesInMemory } from "../../core/bytes.ts";
import type { Library, ModelStart } from "./library.ts";
import { bytesOf, makeFolder, openTestLibrary, readTree } from "./testFolders.ts";

const SIGNAL = new AbortController().signal;

function start(name: string, more: Partial<ModelStart> = {}): ModelStart {
  return { name, origin: "import", byteLength: 0, fingerprint: null, facts: null, ...more };
}
/** Writes a whole folder, in pieces. */
async function store(library: Library, name: string) {
  const { id, writer } = await library.begin(start(name));
  const bytes = await bytesOf(makeFolder(name));
  for (const [path, content] of Object.entries(bytes)) {
    const sink = await writer.open(path, content.byteLength);
    for (let at = 0; at < content.byteLength; at += 100) {
      await sink.append(new Uint8Array(content.slice(at, at + 100)));
    }
    await sink.flush();
  }
  await writer.seal();
  return { id, bytes };
}

test("a sealed model gives back every byte, and its card says what the headers say", async () => {
  const { library, reopen } = await openTestLibrary();
  const { id, bytes } = await store(library, "ember");
  const again = await reopen();
  expect(await readTree(await again.tree(id))).toEqual(bytes);
  const byteLength = Object.values(bytes).reduce((sum, { length }) => sum + length, 0);
  expect(await again.list()).toMatchObject([
    {
      id,
      name: "ember",
      state: "complete",
      origin: "import",
      parameters: 328,
      architecture: "LlamaForCausalLM",
      vocabSize: 20,
      dtypes: ["F32"],
      tensorCount: 3,
      hasTokenizer: true,
      byteLength,
      storedBytes: byteLength,
    },
  ]);
});

test("an unfinished model is visible with what is stored, is not offered, and goes on", async () => {
  const { library, reopen } = await openTestLibrary();
  const { id, writer } = await library.begin(start("half", { byteLength: 1000 }));
  const sink = await writer.open("model.safetensors", 1000);
  await sink.append(new Uint8Array(300));
  await sink.flush();

  const again = await reopen();
  expect(await again.list()).toMatchObject([
    { state: "partial", byteLength: 1000, storedBytes: 300 },
  ]);
  for (const read of [again.tree(id), again.open(id)]) {
    await expect(read).rejects.toMatchObject({ code: "usage" });
  }
  const further = await (await again.resume(id)).open("model.safetensors", 1000);
  expect(further.durableBytes).toBe(300);
});

test("what cannot be opened is not sealed, and stays unfinished", async () => {
  const { library } = await openTestLibrary();
  const { id, writer } = await library.begin(start("broken"));
  const sink = await writer.open("model.safetensors", 50);
  await sink.append(new Uint8Array(50).fill(255));
  await expect(writer.seal()).rejects.toMatchObject({ code: "bad-header" });
  expect(await library.card(id)).toMatchObject({ state: "partial" });
});

test("a file that is begun with another length starts anew", async () => {
  const { library } = await openTestLibrary();
  const { writer } = await library.begin(start("m"));
  const sink = await writer.open("a", 600);
  await sink.append(new Uint8Array(600));
  expect((await writer.open("a", 600)).durableBytes).toBe(600);
  expect((await writer.open("a", 700)).durableBytes).toBe(0);
});

test("names are tidied and stay unique, also when chosen at the same time", async () => {
  const { library } = await openTestLibrary();
  await Promise.all(
    ["ember", " ember\n", "ember", "", "x".repeat(500)].map((name) => library.begin(start(name))),
  );
  const names = (await library.list()).map(({ name }) => name).sort();
  expect(names).toEqual(["ember", "ember 2", "ember 3", "model", "x".repeat(120)]);
});

test("a rename keeps its own name and avoids others", async () => {
  const { library } = await openTestLibrary();
  const [a, b] = [await library.begin(start("a")), await library.begin(start("b"))];
  expect((await library.rename(a.id, "a")).name).toBe("a");
  expect((await library.rename(b.id, "a")).name).toBe("a 2");
  expect(await library.findByName("b")).toBeUndefined();
  expect((await library.findByName("a 2"))?.id).toBe(b.id);
});

test("deleting frees every byte, and who still writes the model is told", async () => {
  const { library, use } = await openTestLibrary();
  const { id } = await store(library, "ember");
  const other = await library.begin(start("other"));
  const sink = await other.writer.open("a", 600);
  await sink.append(new Uint8Array(300));
  await library.delete(id);
  await library.delete(other.id);
  expect(await keys(use)).toEqual([]);
  expect(await library.list()).toEqual([]);
  await expect((async () => sink.append(new Uint8Array(300)))()).rejects.toMatchObject({
    code: "cancelled",
  });
  await expect(library.open(id)).rejects.toMatchObject({ code: "missing-file" });
});

test("values that no manifest knows are swept up at the next start", async () => {
  const { library, reopen, use } = await openTestLibrary();
  const { id } = await store(library, "ember");
  const before = (await keys(use)).length;
  await set(["orphan", "a", 0], new Uint8Array(10), use);
  const again = await reopen();
  expect((await keys(use)).length).toBe(before);
  await again.open(id);
});

test.each(["../a", "/a", "a//b", "a/..", "a\\b", "", "a\0"])(
  "a path that could leave its folder is refused: %j",
  async (path) => {
    const { library } = await openTestLibrary();
    const { writer } = await library.begin(start("m"));
    await expect(writer.open(path, 1)).rejects.toMatchObject({ code: "usage" });
  },
);

test("stored bytes are compared with a source by hash, and kept as far as they agree", async () => {
  const { library } = await openTestLibrary();
  const { id, bytes } = await store(library, "ember");
  const content = bytes["model-00001-of-00002.safetensors"] as Uint8Array;
  const changed = content.slice();
  changed[300] = 255; // in the second value
  const holds = (source: Uint8Array) =>
    library.holds(id, "model-00001-of-00002.safetensors", bytesInMemory(source), SIGNAL);
  expect(await holds(content)).toBe(true);
  expect(await holds(changed)).toBe(false);
  expect(await holds(content.slice(0, 256))).toBe(false);

  const { id: half, writer } = await library.begin(start("half"));
  await (await writer.open("a", content.length)).append(new Uint8Array(content));
  await library.keepMatching(half, "a", bytesInMemory(changed), SIGNAL);
  expect((await writer.open("a", content.length)).durableBytes).toBe(256);
});
