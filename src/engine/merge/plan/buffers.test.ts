import { expect, test } from "vitest";
import type { Checkpoint, CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import type { DType } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { fromF32 } from "../../core/tensor/convert.ts";
import { makeModel } from "../testModels.ts";
import { compareBuffers } from "./buffers.ts";
import { plan } from "./testPlan.ts";

const IDS = "cond_stage_model.transformer.text_model.embeddings.position_ids";
const COUNT = 77;

function withIds(name: string, dtype: DType, bytes: Uint8Array, more: object = {}): Checkpoint {
  const model = makeModel(name, { "out.0.weight": ["F32", [4]], [IDS]: [dtype, [1, COUNT]] });
  const ids = { ...model.tensors.get(IDS), source: bytesInMemory(bytes) } as CheckpointTensor;
  return { ...model, ...more, tensors: new Map([...model.tensors, [IDS, ids]]) };
}
const bytesOf = (array: BigInt64Array | Float32Array) => new Uint8Array(array.buffer);
const int64 = (name: string, change: Readonly<Record<number, bigint>> = {}) =>
  withIds(
    name,
    "I64",
    bytesOf(BigInt64Array.from({ length: COUNT }, (_, i) => change[i] ?? BigInt(i))),
  );
const float = (name: string, dtype: "F16" | "F32") => {
  const values = Float32Array.from({ length: COUNT }, (_, i) => i);
  return withIds(name, dtype, fromF32(values, dtype));
};

test("equal numbers are one thing in whatever dtype", async () => {
  expect(await compareBuffers([int64("a"), float("h", "F16"), float("f", "F32")])).toEqual([]);
});

test("other numbers are said, with element and models", async () => {
  const findings = await compareBuffers([int64("a"), int64("broken", { 5: 4n })]);
  expect(findings).toMatchObject([{ severity: "warning", model: "broken", tensor: IDS }]);
  expect(findings[0]?.message).toContain('element 5 is 4 in "broken" and 5 in "a"');
});

test.each([
  ["I64", "F16"],
  ["F16", "I64"],
  ["F16", "F32"],
])("buffers of %s beside %s are copied as stored from the first", (first) => {
  const all = { I64: int64("a"), F16: float("a", "F16") };
  const text =
    "merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 0.3}}\n- {model: b, parameters: {weight: 0.3}}\nparameters: {normalize: false}\ndtype: bfloat16";
  const model = first === "I64" ? all.I64 : all.F16;
  const found = plan(text, [model, float("b", "F32")]);
  const ids = found.outputs.find(({ name }) => name === IDS);
  expect(ids).toMatchObject({ action: "copy", dtype: first, models: [] });
  expect(ids?.copyFrom).toBe(model.tensors.get(IDS));
});

test("a buffer that only a model has is copied, without the base's", () => {
  const inv = "model.layers.0.self_attn.rotary_emb.inv_freq";
  const norm = { "model.norm.weight": ["F32", [4]] } as const;
  const text =
    "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: a, parameters: {weight: 0.5}}]\ndtype: bfloat16";
  const models = [makeModel("base", norm), makeModel("a", { ...norm, [inv]: ["F32", [4]] })];
  const found = plan(text, models);
  expect(found.card.runnable).toBe(true);
  expect(found.outputs.at(-1)).toMatchObject({ name: inv, action: "copy", dtype: "F32" });
});
