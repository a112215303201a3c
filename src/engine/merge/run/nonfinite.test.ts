import { expect, test } from "vitest";
import { plan } from "../plan/testPlan.ts";
import { checkpointOf } from "../testCheckpoints.ts";
import { explainNonfinite } from "./nonfinite.ts";

const EMBED = "model.embed_tokens.weight";
const LINEAR =
  "merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 1}}\nout_dtype: float16";

/** Plans a merge of two models with one tensor of 3 × 4 each, all ones but for what is stated. */
function planOf(tensor: string, b: Readonly<Record<number, number>>) {
  const models = [{}, b].map((change: Readonly<Record<number, number>>, i) => {
    const values = Float32Array.from({ length: 12 }, (_, at) => change[at] ?? 1);
    return checkpointOf("ab"[i]!, { [tensor]: { shape: [3, 4], values } });
  });
  const found = plan(LINEAR, models);
  return { found, output: found.outputs[0]! };
}

test("the error names the model, the element, its row and column", async () => {
  const { found, output } = planOf("model.layers.0.mlp.up_proj.weight", { 6: Number.NaN });
  const error = await explainNonfinite(found, output, { first: 4, count: 8 });
  expect(error.details).toEqual({ tensor: output.name, model: "b", element: 6 });
  expect(error.message).toContain('of "b" is NaN at element 6 (row 1, column 2)');
});

test("another model's row of numbers is offered for a token", async () => {
  const { found, output } = planOf(EMBED, { 8: Number.NEGATIVE_INFINITY });
  const error = await explainNonfinite(found, output, { first: 0, count: 12 });
  expect(error.message).toContain("is -Infinity at element 8 (row 2, column 0)");
  expect(error.message).toContain('"a" has numbers in that row: "fill_nan_rows: true"');
});

test("where all models are finite the output's dtype is too narrow", async () => {
  const { found, output } = planOf(EMBED, { 8: 1e6 });
  const error = await explainNonfinite(found, output, { first: 0, count: 12 });
  expect(error.details).toEqual({ tensor: EMBED, first: 0, count: 12, dtype: "F16" });
});
