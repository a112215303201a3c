import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { parseConfig, rewriteConfig } from "../../checkpoint/config.ts";
import { makeModel, type Tensors } from "../testModels.ts";
import { plan } from "./testPlan.ts";

const UP = "mlp.up_proj.weight";
const EMBED = "model.embed_tokens.weight";
const NORM = "model.norm.weight";
const HEAD = "lm_head.weight";
const up = (layer: number) => `model.layers.${layer}.${UP}`;

function stack(layers: number): Tensors {
  const names = Array.from({ length: layers }, (_, i) => up(i));
  return Object.fromEntries(
    [EMBED, ...names, NORM].map((name) => [name, ["F32", [4, 4]] as const]),
  );
}

function model(name: string, layers: number, more: { readonly tied?: boolean } = {}): Checkpoint {
  const tensors = more.tied
    ? stack(layers)
    : { ...stack(layers), [HEAD]: ["F32", [4, 4]] as const };
  const made = makeModel(name, tensors);
  const config = {
    architectures: ["LlamaForCausalLM"],
    hidden_size: 4,
    num_hidden_layers: layers,
    layer_types: Array.from({ length: layers }, (_, i) => `${name}${i}`),
    mlp_only_layers: [1],
    eos_token_id: Array.from({ length: layers }, (_, i) => i),
    tie_word_embeddings: more.tied === true,
  };
  return { ...made, config: parseConfig(JSON.stringify(config, null, 2), "config.json") };
}

const A = model("a", 4);
const B = model("b", 6);
const STACK = `merge_method: linear
slices:
- sources: [{model: a, layer_range: [0, 3]}]
- sources: [{model: b, layer_range: [2, 6]}]
parameters: {weight: 1}
`;

describe("slices", () => {
  test("lie one after the other, each tensor from the layer that it is", () => {
    const { outputs, card } = plan(STACK, [A, B]);
    expect(card.findings.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(outputs.map(({ name }) => name)).toEqual([
      EMBED,
      ...[0, 1, 2, 3, 4, 5, 6].map(up),
      NORM,
      HEAD,
    ]);
    const from = Object.fromEntries(outputs.map(({ name, models }) => [name, models[0]!.source]));
    const source = (of: Checkpoint, name: string) => of.tensors.get(name)!.source;
    expect(from[EMBED]).toBe(source(A, EMBED));
    expect(from[up(2)]).toBe(source(A, up(2)));
    expect(from[up(3)]).toBe(source(B, up(2)));
    expect(from[up(6)]).toBe(source(B, up(5)));
    expect([from[NORM], from[HEAD]]).toEqual([source(B, NORM), source(B, HEAD)]);
  });

  test("give config.json their number of layers, and lists that follow the layers", () => {
    const { configChanges } = plan(STACK, [A, B]);
    const { fields } = parseConfig(rewriteConfig(A.config!.text, configChanges), "config.json");
    expect(fields).toMatchObject({
      num_hidden_layers: 7,
      layer_types: ["a0", "a1", "a2", "b2", "b3", "b4", "b5"],
      mlp_only_layers: [1],
      eos_token_id: [0, 1, 2, 3],
    });
    const whole = STACK.replace("[0, 3]", "[0, 4]").replace(/- sources: \[\{model: b.*\n/, "");
    expect(plan(whole, [A, B]).configChanges).toEqual({});
  });

  test("renumber lists of the numbers of layers", () => {
    const text = STACK.replace("[0, 3]", "[1, 3]").replace("[2, 6]", "[0, 2]");
    const { configChanges } = plan(text, [A, B]);
    const { fields } = parseConfig(rewriteConfig(A.config!.text, configChanges), "config.json");
    expect(fields.mlp_only_layers).toEqual([0, 3]);
  });

  test("spread gradients over their own layers, and take the first value around them", () => {
    const text = STACK.replace("[0, 3]}]", "[0, 3]}]\n  parameters: {weight: [0, 1]}").replace(
      "{weight: 1}",
      "{weight: [1, 3, 2]}",
    );
    const { outputs } = plan(text, [A, B]);
    const weights = outputs.map(({ resolved }) => Number(resolved.models[0]!.weight));
    // As mergekit 0.1.5: t = i / (n - 1) within the slice, and 0 for what lies around the layers.
    const expected = [0, 0, 0.5, 1, 1, 1 + 4 / 3, 3 - 1 / 3, 2, 1, 1];
    for (const [i, weight] of weights.entries()) expect(weight).toBeCloseTo(expected[i]!, 14);
    expect(weights).toHaveLength(expected.length);
  });

  test("of one layer take a gradient's last value", () => {
    const text = STACK.replace("[0, 3]", "[1, 2]").replace("weight: 1", "weight: [0, 0.25]");
    const { outputs } = plan(text, [A, B]);
    expect(outputs[1]!.resolved.models[0]!.weight).toBe(0.25);
  });

  test("filter a model's parameters by its own layer, the recipe's by the result's", () => {
    const own =
      "{model: b, layer_range: [2, 6], parameters: {weight: [{filter: layers.2., value: 7}, {value: 1}]}}";
    const text = STACK.replace("{model: b, layer_range: [2, 6]}", own).replace(
      "weight: 1}\n",
      "weight: 1, normalize: [{filter: layers.3., value: false}, {value: true}]}\n",
    );
    const { outputs } = plan(text, [A, B]);
    const resolved = outputs.find(({ name }) => name === up(3))!.resolved;
    expect(resolved).toMatchObject({ global: { normalize: false }, models: [{ weight: 7 }] });
    expect(outputs.find(({ name }) => name === up(2))!.resolved.models[0]).toEqual({ weight: 1 });
  });

  test("have a base of their own, which may be another model in each", () => {
    const text = `merge_method: task_arithmetic
base_model: a
slices:
- sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [1, 3]}]
- sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [4, 6]}]
  base_model: b
parameters: {weight: 1}
`;
    const { outputs, keys, bases } = plan(text, [A, B]);
    expect(keys).toEqual(["b", "a"]);
    const [first, second] = [up(0), up(2)].map((name) => outputs.find((o) => o.name === name)!);
    expect([first!.present, second!.present]).toEqual([[0], [1]]);
    expect(first!.base!.source).toBe(A.tensors.get(up(0))!.source);
    expect(second!.base!.source).toBe(B.tensors.get(up(4))!.source);
    expect(bases).toEqual([A, B]);
  });

  test("of a tied model lend its embedding to a merge of heads", () => {
    const tied = model("t", 4, { tied: true });
    const text = STACK.replace(
      "[{model: b, layer_range: [2, 6]}]",
      "[{model: b, layer_range: [4, 6]}, {model: t, layer_range: [2, 4]}]",
    );
    const { outputs } = plan(text, [A, B, tied]);
    const head = outputs.find(({ name }) => name === HEAD)!;
    expect(head.models[1]!.source).toBe(tied.tensors.get(EMBED)!.source);
  });

  test("beyond a model's layers are refused with its depth", () => {
    expect(() => plan(STACK.replace("[2, 6]", "[2, 7]"), [A, B])).toThrow(
      'layers 2 to 6 of "b", which has 6 layers',
    );
  });
});

const PARTS: Tensors = {
  "language_model.model.embed_tokens.weight": ["F32", [4, 4]],
  "language_model.model.layers.0.mlp.up_proj.weight": ["F32", [4, 4]],
  "language_model.model.layers.1.mlp.up_proj.weight": ["F32", [4, 4]],
  "multi_modal_projector.linear_1.weight": ["F32", [4, 4]],
  "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight": ["F32", [4, 4]],
};
const VLM = ["a", "b"].map((name) => makeModel(name, PARTS));
const MODULES = `merge_method: linear
modules:
  text_decoder:
    slices:
    - sources: [{model: a, layer_range: [0, 2]}]
    - sources: [{model: b, layer_range: [1, 2]}]
  vision_tower:
    models: [{model: a}, {model: b}]
    parameters: {weight: 0.25}
parameters: {weight: 1}
`;

describe("modules", () => {
  test("are merged each by its own models, and what no module makes is left out and said", () => {
    const { outputs, card } = plan(MODULES, VLM);
    expect(outputs.map(({ name, models }) => [name.slice(0, 30), models.length])).toEqual([
      ["language_model.model.embed_tok", 1],
      ["language_model.model.layers.0.", 1],
      ["language_model.model.layers.1.", 1],
      ["language_model.model.layers.2.", 1],
      ["vision_tower.vision_model.enco", 2],
    ]);
    expect(outputs.at(-1)!.resolved.models).toEqual([{ weight: 0.25 }, { weight: 0.25 }]);
    const left = card.findings.filter(({ severity }) => severity === "warning");
    expect(left.map(({ message }) => message).join()).toContain("multi_modal_projector");
  });

  test("are named where one is unknown, or where slices do not say which they cut", () => {
    expect(() => plan(MODULES.replace("vision_tower", "vision"), VLM)).toThrow(
      'no module "vision"; it has "text_decoder", "multi_modal_projector", "vision_tower"',
    );
    const sliced = STACK.replace("[0, 3]", "[0, 1]").replace("[2, 6]", "[0, 1]");
    expect(() => plan(sliced, VLM)).toThrow('state them under "modules"');
  });

  test("of two names for the same tensors are refused", () => {
    const twice = `${MODULES.split("parameters: {weight: 1}")[0]}  vision_model: {models: [{model: a}]}\nparameters: {weight: 1}\n`;
    expect(() => plan(twice, VLM)).toThrow("Two modules of the recipe make the tensor");
  });
});
