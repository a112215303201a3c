import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closing } from "./closing.ts";
import { openFusionInputs } from "./fusionInputs.ts";

const sample = (name: string) => join("public", "samples", name);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-inputs-"));
});
afterAll(() => rm(folder, { recursive: true }));

const idsOf = (models: readonly string[], data: readonly string[]) =>
  closing(async (keep) => {
    const inputs = keep(await openFusionInputs(models, data));
    const names = await Promise.all(inputs.models.map((id) => inputs.library.card(id)));
    return { ...inputs, names: names.map(({ name }) => name) };
  });

test("a file that changed is another dataset; a model named twice is one", async () => {
  const data = join(folder, "rows.jsonl");
  await writeFile(data, '{"text": "one"}\n');
  const before = await idsOf([sample("ember-base"), sample("ember-base")], [data]);
  const same = await idsOf([sample("flint-source"), sample("ember-base")], [data]);
  await writeFile(data, '{"text": "one"}\n{"text": "two"}\n');
  const after = await idsOf([sample("ember-base")], [data]);
  expect(new Set(before.models).size).toBe(1);
  expect(before.names).toEqual(["ember-base", "ember-base"]);
  expect([same.models[1], same.files]).toEqual([before.models[0], before.files]);
  expect(after.models[0]).toBe(before.models[0]);
  expect(after.files).not.toEqual(before.files);
});

test("what was opened is closed, the last first, where the work fails too", async () => {
  const closed: string[] = [];
  const opened = (name: string) => ({ close: async () => void closed.push(name) });
  const work = closing(async (keep) => {
    keep(opened("first"));
    keep(opened("second"));
    throw new Error("broken off");
  });
  await expect(work).rejects.toThrow("broken off");
  expect(closed).toEqual(["second", "first"]);
});
