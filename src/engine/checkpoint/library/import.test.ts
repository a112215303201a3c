import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { type DroppedFile, EngineError } from "../../contract/index.ts";
import { locksInMemory } from "../../core/jobs/locks.ts";
import { importJob } from "./import.ts";
import type { Library } from "./library.ts";
import {
  bytesOf,
  dropFile,
  makeFolder,
  openTestLibrary,
  readTree,
  runOnce,
} from "./testFolders.ts";

const locks = locksInMemory();
const drop = (library: Library, files: readonly DroppedFile[], parts = {}) =>
  runOnce(importJob({ library, locks }), { kind: "import", files }, parts);
/** Stops the job when so many bytes are done. */
function stopAfter(bytes: number) {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onStep: ({ doneBytes }: { readonly doneBytes: number }) => {
      if (doneBytes >= bytes) controller.abort(new EngineError("cancelled", "Cancelled."));
    },
  };
}

test("a dropped folder becomes a complete model with the same bytes", async () => {
  const { library } = await openTestLibrary();
  const files = makeFolder("ember");
  const { result, steps } = drop(library, files);
  const { models, notes } = await result;
  expect(models).toHaveLength(1);
  expect(notes).toEqual([]);
  expect(await readTree(await library.tree(models[0] as string))).toEqual(await bytesOf(files));
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  expect(steps.at(-1)).toMatchObject({ doneBytes: total, totalBytes: total });
});

test("an import that was stopped goes on where it was when the same folder is dropped", async () => {
  const { library, reopen } = await openTestLibrary();
  const files = makeFolder("ember");
  await expect(drop(library, files, stopAfter(800)).result).rejects.toMatchObject({
    code: "cancelled",
  });
  const [half] = await library.list();
  expect(half).toMatchObject({ state: "partial", parameters: 328 });
  expect(half?.storedBytes).toBeGreaterThanOrEqual(800);

  const again = await reopen();
  const { result, steps } = drop(again, makeFolder("ember"));
  const { models, notes } = await result;
  expect(models).toEqual([half?.id]);
  expect(notes).toMatchObject([expect.stringContaining("went on after the 0")]);
  expect(steps.find(({ label }) => label.startsWith("model-0"))?.doneBytes).toBeGreaterThan(0);
  expect(await readTree(await again.tree(models[0] as string))).toEqual(await bytesOf(files));
});

test("a folder of the same sizes but with other bytes does not continue a half import", async () => {
  const { library } = await openTestLibrary();
  await drop(library, makeFolder("ember", 1), stopAfter(800)).result.catch(() => undefined);
  const other = makeFolder("ember", 2);
  const { models } = await drop(library, other).result;
  expect(await readTree(await library.tree(models[0] as string))).toEqual(await bytesOf(other));
});

test("the same checkpoint again is said, not stored twice", async () => {
  const { library } = await openTestLibrary();
  const first = await drop(library, makeFolder("ember")).result;
  const second = await drop(library, makeFolder("ember")).result;
  expect(second.models).toEqual(first.models);
  expect(second.notes).toEqual(["ember is in the library already; nothing was stored twice."]);
  expect(await library.list()).toHaveLength(1);
});

test("two folders of one name and size that differ become two models", async () => {
  const { library } = await openTestLibrary();
  const parents = [1, 2].flatMap((seed) =>
    makeFolder("final", seed).map(({ path, file }) => ({ path: `run${seed}/${path}`, file })),
  );
  const { models } = await drop(library, parents).result;
  expect(models).toHaveLength(2);
  expect((await library.list()).map(({ name }) => name).sort()).toEqual(["final", "final 2"]);
});

test("a broken folder is left out with its code, and harms neither the others nor the store", async () => {
  const { library } = await openTestLibrary();
  const kept = await drop(library, makeFolder("kept")).result;
  const broken = dropFile("broken/model.safetensors", new Uint8Array(64).fill(255));
  const { models, notes } = await drop(library, [broken, ...makeFolder("ember")]).result;
  expect(notes).toMatchObject([expect.stringMatching(/^broken was left out \(bad-header\): /)]);
  expect((await library.list()).map(({ name }) => name).sort()).toEqual(["ember", "kept"]);
  for (const id of [...kept.models, ...models]) await readTree(await library.tree(id));
});

test("when nothing can be imported the job fails with the first folder's code", async () => {
  const { library } = await openTestLibrary();
  const files = [dropFile("a/model.safetensors", "x"), dropFile("b/pytorch_model.bin", "x")];
  await expect(drop(library, files.slice(1)).result).rejects.toMatchObject({ code: "pickle" });
  await expect(drop(library, files).result).rejects.toThrow(/None of the 2 models/);
  expect(await library.list()).toEqual([]);
});

test("files without weights are refused before a job begins", async () => {
  const { library } = await openTestLibrary();
  const request = { kind: "import", files: [dropFile("notes.txt", "hello")] } as const;
  await expect(importJob({ library, locks }).prepare(request)).rejects.toMatchObject({
    code: "missing-file",
  });
});

test("weights in formats that are not read stay behind, and that is said", async () => {
  const { library } = await openTestLibrary();
  const files = [...makeFolder("ember"), dropFile("ember/pytorch_model.bin", "pickle")];
  const { models, notes } = await drop(library, files).result;
  expect(notes).toEqual(["ember: not stored, pytorch_model.bin."]);
  expect((await library.tree(models[0] as string)).has("pytorch_model.bin")).toBe(false);
});

test("a full disk stops the import with `quota`, and it resumes when there is room", async () => {
  const { library } = await openTestLibrary();
  const full: Library = {
    ...library,
    async begin(start) {
      const { id, writer } = await library.begin(start);
      const open: typeof writer.open = async (path, byteLength) => {
        const sink = await writer.open(path, byteLength);
        const append = async (bytes: Uint8Array<ArrayBuffer>) => {
          if (path.startsWith("model-00002")) throw new EngineError("quota", "Full.");
          return sink.append(bytes);
        };
        return { durableBytes: sink.durableBytes, append, flush: () => sink.flush() };
      };
      return { id, writer: { ...writer, open } };
    },
  };
  const files = makeFolder("ember");
  await expect(drop(full, files).result).rejects.toMatchObject({ code: "quota" });
  const { models } = await drop(library, files).result;
  expect(await readTree(await library.tree(models[0] as string))).toEqual(await bytesOf(files));
});

test("a file that shrank after it was dropped is `truncated` by name", async () => {
  const { library } = await openTestLibrary();
  const files = makeFolder("ember").map(({ path, file }) => {
    if (!path.includes("00002-of")) return { path, file };
    const gone = new Proxy(file, {
      get(target, key) {
        if (key !== "slice") return Reflect.get(target, key, target);
        return (start: number, end: number) => {
          const part = target.slice(start, end);
          if (end <= 400) return part;
          part.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
          return part;
        };
      },
    });
    return { path, file: gone };
  });
  await expect(drop(library, files).result).rejects.toMatchObject({
    code: "truncated",
    details: { file: "ember/model-00002-of-00002.safetensors" },
  });
});
