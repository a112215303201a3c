import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { DroppedFile, Engine, JobCard } from "../engine/contract/index.ts";
import { createEngine } from "../engine/create.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

const FIXTURES = ["zoo", "fixtures"] as const;
const list = (...folder: readonly string[]) =>
  hasTestData ? readdirSync(testDataPath(...FIXTURES, ...folder)) : [];

let engine: Engine;
let kept: string;
beforeAll(async () => {
  globalThis.indexedDB = new IDBFactory(); // another file of this process may have filled the last
  engine = await createEngine({
    gpu: undefined,
    baseUrl: "http://localhost/",
    locks: undefined,
    storage: undefined,
  });
  const card = await drop(readFolder("kept", join("public", "samples", "ember-base")));
  kept = card.result?.models[0] as string;
});

function readFolder(name: string, folder: string): readonly DroppedFile[] {
  return readdirSync(folder).map((file) => ({
    path: `${name}/${file}`,
    file: new Blob([new Uint8Array(readFileSync(join(folder, file)))]) as File,
  }));
}
async function drop(files: readonly DroppedFile[]): Promise<JobCard> {
  const { id } = await engine.startJob({ kind: "import", files });
  for (;;) {
    const card = (await engine.listJobs()).find((each) => each.id === id) as JobCard;
    if (card.state !== "running") return card;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
/** The model that was there before is still whole. */
async function expectUnharmed() {
  const { tensors } = await engine.openModel(kept);
  const tensor = tensors.at(-1)?.name as string;
  const { statistics } = await engine.inspectTensor({ model: kept, tensor, against: null });
  expect(statistics).toMatchObject({ nan: 0, inf: 0 });
}

describe.skipIf(!hasTestData)("real and hostile folders, dropped on the engine", () => {
  test.each(list("safetensors_hostile"))(
    "%s is refused by its name, and nothing is stored of it",
    async (file) => {
      const bytes = readFileSync(testDataPath(...FIXTURES, "safetensors_hostile", file));
      const before = await engine.listModels();
      const card = await drop([{ path: file, file: new Blob([new Uint8Array(bytes)]) as File }]);
      expect(card.state).toBe("failed");
      expect(["truncated", "bad-header", "bad-offsets", "bad-shape"]).toContain(card.failure?.code);
      expect(card.failure?.message).toContain(file);
      expect(await engine.listModels()).toEqual(before);
      await expectUnharmed();
    },
  );

  test.each(list("safetensors_valid"))("%s is stored as it is", async (file) => {
    const bytes = readFileSync(testDataPath(...FIXTURES, "safetensors_valid", file));
    const card = await drop([{ path: file, file: new Blob([new Uint8Array(bytes)]) as File }]);
    expect(card).toMatchObject({ state: "done", failure: null });
    const { files } = await engine.openModel(card.result?.models[0] as string);
    expect(files).toEqual([{ path: file, byteLength: bytes.byteLength }]);
  });

  test.each(list("hub_layouts"))(
    "%s, a clone without its weights, says what to do",
    async (name) => {
      const files = readFolder(name, testDataPath(...FIXTURES, "hub_layouts", name));
      const card = await drop(files);
      expect(card.state).toBe("failed");
      const pointers = files.some(({ path }) => path.endsWith(".safetensors"));
      expect(card.failure?.code).toBe(pointers ? "lfs-pointer" : "missing-file");
      expect(card.failure?.message).toMatch(pointers ? /git lfs pull/ : /[Dd]ownload/);
      await expectUnharmed();
    },
  );
});
