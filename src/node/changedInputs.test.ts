import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inputsOf } from "../engine/checkpoint/inputFiles.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import type { Recipe } from "../engine/contract/index.ts";
import type { FileTreeWriter } from "../engine/core/bytes.ts";
import { watchInputs } from "../engine/core/inputs.ts";
import { GpuProvider } from "../engine/gpu/device.ts";
import { prepareMerge } from "../engine/merge/plan/prepare.ts";
import { mergeInto } from "../engine/merge/run/merge.ts";
import { sourceFromBlob } from "../engine/storage/blob.ts";
import { openFiles } from "./files.ts";
import { openFolderWriter } from "./folderWriter.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-changed-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A checkpoint of integers, which a merge copies: no GPU is needed to see it through. */
function safetensors(elements: number, fill: number): Buffer {
  const tensors = { ids: { dtype: "U8", shape: [elements], data_offsets: [0, elements] } };
  const header = Buffer.from(JSON.stringify(tensors));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return Buffer.concat([length, header, Buffer.alloc(elements, fill)]);
}

async function makeModel(name: string, elements = 100): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  await writeFile(join(folder, "model.safetensors"), safetensors(elements, 7));
  await writeFile(join(folder, "tokenizer.json"), "{}");
  await writeFile(join(folder, "README.md"), "a model");
  return folder;
}

/** Another byte at the end, with size and time of change as they were. */
async function changeSecretly(path: string, at: number): Promise<void> {
  const { atime, mtime, size } = await stat(path);
  const handle = await open(path, "r+");
  await handle.write(Buffer.from([8]), 0, 1, at);
  await handle.close();
  await utimes(path, atime, mtime);
  expect((await stat(path)).size).toBe(size);
}

async function watchFolder(folder: string) {
  const { files, close } = await openFiles(folder);
  const inputs = await watchInputs(inputsOf([await openCheckpoint(files, "m")]));
  return { ...inputs, close };
}

test.each<readonly [string, (folder: string) => Promise<void>]>([
  ["a byte, its size and time kept", (m) => changeSecretly(join(m, "model.safetensors"), 150)],
  ["longer", (m) => appendFile(join(m, "tokenizer.json"), "\n")],
  ["another tokenizer", (m) => writeFile(join(m, "tokenizer.json"), "[]")],
  [
    "another file in its place, with the same bytes",
    async (m) => {
      await writeFile(join(root, "next"), safetensors(100, 7));
      await rename(join(root, "next"), join(m, "model.safetensors"));
    },
  ],
  ["gone", (m) => rm(join(m, "tokenizer.json"))],
])("a model that was changed is noticed: %s", async (_, change) => {
  const folder = await makeModel("m");
  const { requireUnchanged, mark, close } = await watchFolder(folder);
  await requireUnchanged();
  await change(folder);
  await expect(requireUnchanged()).rejects.toMatchObject({
    code: expect.stringMatching(/^(changed|missing-file)$/),
  });
  await close();
  const later = await watchFolder(folder); // between a pause and its resume
  expect(later.mark).not.toBe(mark);
  await later.close();
});

test("what nobody reads does not count: a README, other weights, a new note", async () => {
  const folder = await makeModel("m");
  await writeFile(join(folder, "pytorch_model.bin"), "x");
  const { requireUnchanged, mark, close } = await watchFolder(folder);
  await appendFile(join(folder, "README.md"), "better");
  await writeFile(join(folder, "pytorch_model.bin"), "y");
  await writeFile(join(folder, "notes.md"), "z");
  await requireUnchanged();
  await close();
  const later = await watchFolder(folder);
  expect(later.mark).toBe(mark);
  await later.close();
});

test("where there are no times to go by, sampled blocks tell", async () => {
  const bytes = new Uint8Array(3 * 2 ** 20);
  const source = (content: Uint8Array<ArrayBuffer>) => sourceFromBlob(new Blob([content]), "m");
  const mark = await source(bytes).mark?.();
  expect(await source(bytes.slice()).mark?.()).toBe(mark);
  for (const at of [0, 2 ** 20 - 1, bytes.length - 1]) {
    const other = bytes.slice();
    other[at] = 1;
    expect(await source(other).mark?.()).not.toBe(mark);
  }
  const trained = bytes.slice().fill(1, 2 ** 20 + 40_000, 2 ** 20 + 90_000); // longer than the gaps
  expect(await source(trained).mark?.()).not.toBe(mark);
});

/** Merges two folders into `out`; `during` is called once bytes are written. */
async function merge(models: readonly string[], out: string, during: () => Promise<void>) {
  const opened = await Promise.all(models.map((path) => openFiles(path)));
  const checkpoints = await Promise.all(
    opened.map(({ files }, i) => openCheckpoint(files, `m${i}`)),
  );
  const recipe: Recipe = {
    method: "linear",
    models: models.map((model) => ({ model, parameters: { weight: 0.5 } })),
    parameters: {},
  };
  const plan = await prepareMerge(recipe, {
    shardBytes: 5e9,
    open: async (model) => checkpoints[models.indexOf(model)]!,
  });
  const writer = await openFolderWriter(out, "k");
  let changed: Promise<void> | undefined;
  const signal = new AbortController().signal;
  const progress = () => {
    changed ??= during();
  };
  try {
    const waiting: FileTreeWriter = {
      async open(path, byteLength) {
        await changed; // side files are opened when the weights are written
        return writer.open(path, byteLength);
      },
      seal: () => writer.seal(),
    };
    await mergeInto(plan, waiting, new GpuProvider(undefined), { name: "out", signal, progress });
  } finally {
    await writer.close();
    for (const { close } of opened) await close();
  }
}

test("a merge of models that stay as they are is sealed; one that changes is not", async () => {
  const models = [await makeModel("a"), await makeModel("b")];
  const edit = () => appendFile(join(models[1]!, "README.md"), "edited beside it");
  await merge(models, join(root, "good"), edit);
  expect(await readdir(join(root, "good"))).toContain("model.safetensors");

  const secretly = () => changeSecretly(join(models[1]!, "model.safetensors"), 150);
  await expect(merge(models, join(root, "bad"), secretly)).rejects.toMatchObject({
    code: "changed",
    details: { file: expect.stringContaining("model.safetensors") },
  });
  expect(await readdir(join(root, "bad"))).toEqual([".fusestudio"]);
});
