import { beforeAll, expect, test } from "vitest";
import type { Engine } from "../engine/contract/index.ts";
import { dropSample, openTestEngine, runJob } from "./engineTestParts.ts";

const NAMES = ["ember-base", "ember-tales", "ember-drama", "ember-maths"];
const YAML = `base_model: ember-base
experts:
  - {source_model: ember-tales, positive_prompts: ["Once upon a time"], negative_prompts: ["2 + 2"]}
  - {source_model: ember-drama, positive_prompts: ["Enter the king", "ROMEO:"]}
  - {source_model: ember-maths, positive_prompts: ["2 + 2 ="]}
`;
const SHARD_BYTES = 2e6;

let engine: Engine;
beforeAll(async () => {
  engine = await openTestEngine();
  const files = (await Promise.all(NAMES.map(dropSample))).flat();
  expect((await runJob(engine, { kind: "import", files })).failure).toBeNull();
});

test("a mixture of the samples is planned, made from its prompts, and is a model of the library", async () => {
  const request = { yaml: YAML, shardBytes: SHARD_BYTES };
  const plan = await engine.planMixture(request);
  expect(plan).toMatchObject({ architecture: "Mixtral", layers: 6 });
  expect(plan?.notes).toEqual(["3 experts are no power of two, which llama.cpp needs."]);
  const job = await runJob(engine, { kind: "mixture", name: "ember moe", ...request });
  expect(job).toMatchObject({ title: "Mix ember moe", state: "done", failure: null });
  const [id = ""] = job.result?.models ?? [];
  const { card, tensors } = await engine.openModel(id);
  expect(card).toMatchObject({
    name: "ember moe",
    architecture: "MixtralForCausalLM",
    parameters: plan?.parameters,
    state: "complete",
    hasTokenizer: true,
  });
  expect(tensors).toHaveLength(56);
  expect(new Set(tensors.map(({ file }) => file)).size).toBeGreaterThan(1);
  const written = await engine.readModelText({ model: id, path: "mergekit_moe_config.yml" });
  expect(written).toBe(YAML);
  const readme = await engine.readModelText({ model: id, path: "README.md" });
  expect(readme).toContain("Each token goes to 2 of 3 experts");
});

test("a text that is no mixture has no plan, and one that cannot be made says why", async () => {
  const yaml = "merge_method: linear\nmodels: []";
  expect(await engine.planMixture({ yaml, shardBytes: SHARD_BYTES })).toBeNull();
  const wrong = YAML.replace("ember-maths", "nobody");
  await expect(engine.planMixture({ yaml: wrong, shardBytes: SHARD_BYTES })).rejects.toMatchObject({
    code: "missing-file",
  });
});

test("prompts that are alike are told with the condition number", async () => {
  const alike = YAML.replace("Enter the king", "2 + 3 =").replace("ROMEO:", "2 + 2 = ");
  const request = { yaml: alike, shardBytes: SHARD_BYTES, name: "alike" };
  const { failure, result } = await runJob(engine, { kind: "mixture", ...request });
  expect(failure).toBeNull();
  expect(result?.notes.join(" ")).toMatch(/degenerate \(condition number up to [\d.]+; good ones/);
});
