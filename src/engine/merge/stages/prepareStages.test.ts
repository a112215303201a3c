import { expect, test } from "vitest";
import { readTensor } from "../../checkpoint/checkpoint.ts";
import { parseConfig } from "../../checkpoint/config.ts";
import { examineModels } from "../plan/examine.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { makeModel, type Tensors } from "../testModels.ts";
import { plannedCheckpoint } from "./plannedCheckpoint.ts";
import { prepareStages } from "./prepareStages.ts";

const EMBED = "model.embed_tokens.weight";
const up = (layer: number) => `model.layers.${layer}.mlp.up_proj.weight`;

function model(name: string, layers: number) {
  const names = [EMBED, ...Array.from({ length: layers }, (_, i) => up(i)), "model.norm.weight"];
  const tensors: Tensors = Object.fromEntries(names.map((own) => [own, ["F32", [4, 4]] as const]));
  const config = { num_hidden_layers: layers, tie_word_embeddings: true, hidden_size: 4 };
  return {
    ...makeModel(name, tensors, { layers, tied: true }),
    config: parseConfig(JSON.stringify(config), "config.json"),
  };
}

const MODELS = new Map([model("a", 2), model("b", 3)].map((each) => [each.name, each]));
const prepare = (text: string) => {
  const { recipe, lines } = parseRecipe(text);
  return prepareStages(recipe, { open: async (name) => MODELS.get(name)!, shardBytes: 5e9, lines });
};

const TALL = `name: tall
merge_method: linear
slices:
- sources: [{model: a, layer_range: [0, 2]}]
- sources: [{model: b, layer_range: [1, 3]}]
parameters: {weight: 1}
out_dtype: bfloat16
---
merge_method: linear
slices:
- sources: [{model: tall, layer_range: [3, 4]}]
- sources: [{model: tall, layer_range: [0, 4]}]
parameters:
  weight: 1
  stray: 2
`;

test("a merge is planned over what an earlier one will make", async () => {
  const { stages, plan, card } = await prepare(TALL);
  expect(stages.map(({ name, plan: { outputs } }) => [name, outputs.length])).toEqual([
    ["tall", 6],
  ]);
  expect(plan.outputs.map(({ name }) => name)).toEqual([
    EMBED,
    ...[0, 1, 2, 3, 4].map(up),
    "model.norm.weight",
  ]);
  // Without a dtype of its own it has the one of its input, which is the stage's.
  expect(plan.outputs.map(({ dtype }) => dtype)).toEqual(Array(7).fill("BF16"));
  expect(plan.configChanges.fields).toEqual([{ path: "", key: "num_hidden_layers", json: "5" }]);
  expect(card.runnable).toBe(true);
  expect(card.stages?.map(({ name }) => name)).toEqual(["tall"]);
  expect(card.writeBytes).toBe(stages[0]!.plan.card.writeBytes + plan.card.writeBytes);
});

test("what is found of a stage is said with its name, and forbids the whole", async () => {
  const { card } = await prepare(
    TALL.replace(
      "{model: b, layer_range: [1, 3]}",
      "{model: b, layer_range: [1, 3]}, {model: a, layer_range: [0, 2]}",
    ).replace("parameters: {weight: 1}\nout", "parameters: {weight: 1, other: 3}\nout"),
  );
  const said = card.findings.map(({ message, line }) => [message, line] as const);
  expect(said.find(([message]) => message.startsWith('Stage "tall"'))?.[1]).toBe(6);
  expect(said.find(([message]) => message.includes('"stray"'))?.[1]).toBe(15);
});

test("weights that are yet to be made are not read", async () => {
  const { stages } = await prepare(TALL);
  const tall = await plannedCheckpoint(stages[0]!.plan, "tall");
  expect(tall.config?.layers).toBe(4);
  await expect(readTensor(tall.tensors.get(EMBED)!, 0, 4)).rejects.toThrow(
    'The merge "tall" has not been made',
  );
  expect(await examineModels([tall, tall])).toEqual([]);
});
