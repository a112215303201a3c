import { expect, test } from "vitest";
import { makeModel, type Tensors } from "../testModels.ts";
import { codes, plan } from "./testPlan.ts";

const UP = "model.layers.0.mlp.up_proj.weight";
const PLAIN: Tensors = { [UP]: ["BF16", [4, 4]], "model.norm.weight": ["BF16", [4]] };
const WITH_MTP: Tensors = {
  ...PLAIN,
  "mtp.fc.weight": ["BF16", [4, 8]],
  "mtp.norm.weight": ["BF16", [4]],
};
const LINEAR =
  "merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 0.3}}\n- {model: b, parameters: {weight: 0.3}}\nparameters: {normalize: false}";
const TASK =
  "merge_method: task_arithmetic\nbase_model: base\nmodels:\n- {model: a, parameters: {weight: 0.5}}\n- {model: b, parameters: {weight: 0.5}}";

const actions = ({ outputs }: ReturnType<typeof plan>) =>
  outputs.filter(({ name }) => name.startsWith("mtp.")).map(({ action }) => action);

test("what only one model has is copied from it, said once for all of it", () => {
  const models = [makeModel("a", PLAIN), makeModel("b", WITH_MTP)];
  const found = plan(LINEAR, models);
  expect(actions(found)).toEqual(["copy", "copy"]);
  expect(found.outputs.at(-1)?.copyFrom).toBe(models[1]?.tensors.get("mtp.norm.weight"));
  expect(found.card.findings).toMatchObject([
    { severity: "warning", code: "missing-tensor", model: "a", tensor: "mtp.fc.weight" },
  ]);
  expect(found.card.findings[0]?.message).toContain(
    'Only "b" has "mtp.fc.weight" and 1 tensor more',
  );
});

test("a base that lacks it is no error where one model has it", () => {
  const models = [makeModel("base", PLAIN), makeModel("a", PLAIN), makeModel("b", WITH_MTP)];
  const found = plan(TASK, models);
  expect([found.card.runnable, actions(found)]).toEqual([true, ["copy", "copy"]]);
});

test("a base that lacks what several models have asks what is wanted", () => {
  const models = [makeModel("base", PLAIN), makeModel("a", WITH_MTP), makeModel("b", WITH_MTP)];
  const refused = plan(TASK, models);
  expect(refused.card.runnable).toBe(false);
  expect(refused.card.findings[0]?.message).toContain('"extra_tensors"');
  const copied = plan(`${TASK}\nextra_tensors: [{filter: "mtp.*", value: copy}]`, models);
  expect([copied.card.runnable, actions(copied)]).toEqual([true, ["copy", "copy"]]);
  const about = { tensors: Object.keys(WITH_MTP).slice(2), has: ["a", "b"], lacks: ["base"] };
  expect(refused.card.extras).toEqual([{ ...about, outcome: "refuse" }]);
  expect(copied.card.extras).toEqual([{ ...about, outcome: "copy" }]);
  expect(copied.outputs.at(-1)?.copyFrom).toBe(models[1]?.tensors.get("mtp.norm.weight"));
});

test("the recipe can leave it out or refuse it, by pattern", () => {
  const models = [makeModel("a", PLAIN), makeModel("b", WITH_MTP)];
  const left = plan(`${LINEAR}\nextra_tensors: [{filter: "mtp.*", value: leave_out}]`, models);
  expect(left.outputs.map(({ name }) => name)).toEqual(Object.keys(PLAIN));
  expect(codes(left)).toEqual(["note info"]);
  const refused = plan(`${LINEAR}\nextra_tensors: [{filter: norm, value: refuse}]`, models);
  expect(refused.card.runnable).toBe(false);
  expect(refused.card.findings[0]).toMatchObject({ tensor: "mtp.norm.weight", model: "b" });
});

test("a pattern never touches what all models have", () => {
  const found = plan(`${LINEAR}\nextra_tensors: leave_out`, [
    makeModel("a", PLAIN),
    makeModel("b", PLAIN),
  ]);
  expect(found.outputs.map(({ action }) => action)).toEqual(["merge", "merge"]);
});

test("a weight without elements is an error that names ZeRO-3, even where all have none", () => {
  const empty: Tensors = { ...PLAIN, [UP]: ["F32", [0]] };
  for (const models of [
    [makeModel("a", PLAIN), makeModel("b", empty)],
    [makeModel("a", empty), makeModel("b", empty)],
  ]) {
    const { card } = plan(LINEAR, models);
    expect(card.runnable).toBe(false);
    const about = card.findings.find(({ message }) => message.includes("ZeRO-3"));
    expect(about).toMatchObject({ severity: "error", tensor: UP });
    expect(about?.message).toContain("stage3_gather_16bit_weights_on_model_save");
  }
});

test("something unknown without elements is a warning", () => {
  const odd: Tensors = { ...PLAIN, placeholder: ["F32", [0]] };
  const { card } = plan(LINEAR, [makeModel("a", odd), makeModel("b", odd)]);
  expect(card.runnable).toBe(true);
  expect(card.findings[0]?.message).toContain('"placeholder"');
});
