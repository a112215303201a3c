import { expect, test } from "vitest";
import { makeModel, type Tensors } from "../testModels.ts";
import { codes, plan } from "./testPlan.ts";

const LINEAR =
  "merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 1}}";
const TASK =
  "merge_method: task_arithmetic\nbase_model: a\nmodels:\n- {model: b, parameters: {weight: 1}}";

/** GPT-2's names under a prefix. */
const gpt2 = (prefix: string): Tensors => ({
  [`${prefix}wte.weight`]: ["F32", [8, 4]],
  [`${prefix}h.0.attn.c_attn.weight`]: ["F32", [4, 12]],
  [`${prefix}h.1.attn.c_attn.weight`]: ["F32", [4, 12]],
  [`${prefix}ln_f.weight`]: ["F32", [4]],
});
/** A vision-language model in transformers' old layout, or in the new one. */
const llava = (layout: "old" | "new"): Tensors => {
  const text = layout === "old" ? "language_model.model." : "model.language_model.";
  const around = layout === "old" ? "" : "model.";
  return {
    [`${around}vision_tower.encoder.layers.0.mlp.fc1.weight`]: ["F32", [4, 4]],
    [`${text}embed_tokens.weight`]: ["F32", [8, 4]],
    [`${text}layers.0.mlp.up_proj.weight`]: ["F32", [4, 4]],
    [layout === "old" ? "language_model.lm_head.weight" : "lm_head.weight"]: ["F32", [8, 4]],
  };
};

test.each([
  ["linear", LINEAR],
  ["task_arithmetic", TASK],
])("%s merges two layouts under the template's names", (_, text) => {
  const found = plan(text, [makeModel("a", gpt2("")), makeModel("b", gpt2("transformer."))]);
  expect(found.card.runnable).toBe(true);
  expect(found.outputs.map(({ name, action }) => [name, action])).toEqual(
    Object.keys(gpt2("")).map((name) => [name, "merge"]),
  );
  expect(found.card.findings).toMatchObject([{ severity: "note", model: "b" }]);
  expect(found.card.findings[0]?.message).toContain(
    '4 tensors under other names, such as "transformer.wte.weight" for "wte.weight"',
  );
});

test("old and new vision-language layouts are one model, whichever comes first", () => {
  for (const [ours, theirs] of [["old", "new"] as const, ["new", "old"] as const]) {
    const found = plan(LINEAR, [makeModel("a", llava(ours)), makeModel("b", llava(theirs))]);
    expect(codes(found)).toEqual(["note info"]);
    expect(found.outputs.map(({ name, present }) => [name, present])).toEqual(
      Object.keys(llava(ours)).map((name) => [name, [0, 1]]),
    );
  }
});

test("hardly any common name is an error that names the prefixes, and no union", () => {
  const other: Tensors = Object.fromEntries(
    ["x", "y", "z"].map((part) => [`net.stem.${part}.weight`, ["F32", [4]]]),
  );
  const found = plan(LINEAR, [makeModel("a", gpt2("transformer.")), makeModel("b", other)]);
  expect(found.card.runnable).toBe(false);
  const message = found.card.findings[0]?.message;
  expect(message).toContain('share 0 names of 3 and 4 tensors: in "b" they begin with "net.stem."');
  expect(message).toContain('in "a" they begin with "transformer."');
});

test("models labelled as different architectures are merged with consent", () => {
  const models = [
    makeModel("a", gpt2("")),
    makeModel("b", gpt2(""), { architecture: "MistralForCausalLM" }),
  ];
  const refused = plan(LINEAR, models);
  expect(refused.card.runnable).toBe(false);
  expect(refused.card.findings[0]?.message).toContain("allow_architecture_mismatch: true");
  const allowed = plan(`${LINEAR}\nallow_architecture_mismatch: true`, models);
  expect([allowed.card.runnable, codes(allowed)]).toEqual([true, ["warning mismatch"]]);
});

test("a gradient counts within its own stack", () => {
  const tower = (layers: number, list: string): Tensors =>
    Object.fromEntries(
      Array.from({ length: layers }, (_, i) => [`${list}.${i}.mlp.fc1.weight`, ["F32", [2]]]),
    );
  const both = { ...tower(2, "model.layers"), ...tower(5, "vision_tower.encoder.layers") };
  const text =
    "merge_method: linear\nmodels:\n- {model: a, parameters: {weight: [0, 1]}}\n- {model: b, parameters: {weight: 1}}";
  const found = plan(text, [makeModel("a", both), makeModel("b", both)]);
  expect(found.outputs.map(({ resolved }) => resolved.models[0]?.weight)).toEqual([
    0, 1, 0, 0.25, 0.5, 0.75, 1,
  ]);
});
