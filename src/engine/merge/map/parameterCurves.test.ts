import { expect, test } from "vitest";
import { plan } from "../plan/testPlan.ts";
import { makeModel } from "../testModels.ts";
import { traceParameters } from "./parameterCurves.ts";

const names = [
  "model.embed_tokens.weight",
  ...[0, 1, 2].flatMap((i) => [
    `model.layers.${i}.self_attn.q_proj.weight`,
    `model.layers.${i}.mlp.up_proj.weight`,
  ]),
  "model.norm.weight",
];
const tensors = Object.fromEntries(names.map((name) => [name, ["F32", [4, 4]] as const]));
const MODELS = ["a", "b"].map((name) => makeModel(name, tensors, { layers: 3 }));

test("a parameter is a curve over the layers, with the columns that share it", () => {
  const text = `merge_method: linear
models:
- model: a
  parameters: {weight: [0, 1]}
- model: b
  parameters: {weight: [{filter: mlp, value: [1, 0]}, {value: 0.5}]}
parameters: {normalize: true}
`;
  const curves = traceParameters(plan(text, MODELS));
  const weights = curves.filter(({ parameter }) => parameter === "weight");
  const list = "model.layers";
  expect(weights).toEqual([
    { parameter: "weight", model: "a", list: null, columns: ["embed", "norm"], values: [0] },
    { parameter: "weight", model: "b", list: null, columns: ["embed", "norm"], values: [0.5] },
    { parameter: "weight", model: "a", list, columns: ["q", "up"], values: [0, 0.5, 1] },
    { parameter: "weight", model: "b", list, columns: ["q"], values: [0.5, 0.5, 0.5] },
    { parameter: "weight", model: "b", list, columns: ["up"], values: [1, 0.5, 0] },
  ]);
  expect(curves.find(({ parameter }) => parameter === "normalize")).toMatchObject({
    model: null,
    values: [true],
  });
});

test("a model has a value only in the slices that it is in", () => {
  const text = `merge_method: linear
slices:
- sources: [{model: a, layer_range: [0, 2], parameters: {weight: [0, 1]}}]
- sources: [{model: b, layer_range: [0, 3], parameters: {weight: [1, 0]}}]
`;
  const curves = traceParameters(plan(text, MODELS));
  const layers = curves.filter(
    ({ parameter, list }) => parameter === "weight" && list === "model.layers",
  );
  expect(layers).toMatchObject([
    { model: "a", values: [0, 1, null, null, null] },
    { model: "b", values: [null, null, 1, 0.5, 0] },
  ]);
});
