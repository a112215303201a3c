import { expect, test } from "vitest";
import { folderInMemory } from "../engine/storage/testFolder.ts";
import { dropSample, openTestEngine, runJob } from "./engineTestParts.ts";

const DOCUMENTS = `name: mean
merge_method: linear
models: [{model: ember-base}, {model: ember-tales}]
parameters: {weight: 1}
---
merge_method: linear
slices:
- sources: [{model: mean, layer_range: [0, 1]}]
- sources: [{model: ember-base, layer_range: [0, 1]}, {model: mean, layer_range: [1, 2]}]
parameters: {weight: 1}
`;

test("a recipe of two documents is one job, whose first result goes or stays in the library", async () => {
  const root = folderInMemory("private", { sync: true });
  const storage = { getDirectory: async () => root.handle } as unknown as StorageManager;
  const engine = await openTestEngine(storage);
  const dropped = await Promise.all(["ember-base", "ember-tales"].map(dropSample));
  await runJob(engine, { kind: "import", files: dropped.flat() });
  const namesNow = async () => (await engine.listModels()).map(({ name }) => name).sort();
  const before = await namesNow();

  const { recipe, lines } = await engine.parseRecipe(DOCUMENTS);
  const plan = await engine.planMerge({ recipe, shardBytes: 5e9, lines });
  expect(plan.stages?.map((stage) => [stage.name, stage.plan.runnable])).toEqual([["mean", true]]);
  const map = await engine.weightMap(recipe);
  expect([map.models, map.cells.length]).toEqual([["mean", "ember-base"], plan.tensors.length]);
  const measure = engine.startJob({ kind: "measure", recipe });
  await expect(measure).rejects.toMatchObject({ code: "missing-file" });

  const request = { kind: "merge", recipe, name: "stacked", shardBytes: 5e9 } as const;
  const merged = await runJob(engine, request);
  expect(merged).toMatchObject({ state: "done", failure: null, title: "Merge stacked" });
  expect(merged.result?.models).toHaveLength(1);
  expect(await namesNow()).toEqual([...before, "stacked"].sort());

  const kept = await runJob(engine, { ...request, name: "again", keepStages: true });
  expect(kept.result?.models).toHaveLength(2);
  expect(await namesNow()).toEqual([...before, "stacked", "again", "again-mean"].sort());
  await engine.controlJob({ job: kept.id, do: "delete" });
  expect(await namesNow()).toContain("again-mean");
  const [one, other] = [merged, kept].map((job) => job.result?.models[0] as string);
  const tensors = (await engine.openModel(one!)).tensors;
  expect(tensors.map(({ name }) => name).filter((name) => name.includes("q_proj"))).toHaveLength(2);
  for (const { name } of tensors) {
    const { against } = await engine.inspectTensor({ model: one!, tensor: name, against: other! });
    expect(against).toMatchObject({ maxAbsDelta: 0 });
  }
});
