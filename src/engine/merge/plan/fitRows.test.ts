import { describe, expect, test } from "vitest";
import { makeModel } from "../testModels.ts";
import type { ModelDetails } from "./details.ts";
import { codes, plan } from "./testPlan.ts";
import type { TokenRows } from "./tokenRows.ts";

const EMBED = "model.embed_tokens.weight";
const FORMS = {
  linear:
    "merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 1}}",
  slerp: "merge_method: slerp\nbase_model: a\nmodels: [{model: b}]\nparameters: {t: 0.5}",
  task: "merge_method: task_arithmetic\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1}}]",
};
/** The embedding's rows of a model, and how many of them its tokenizer calls for. */
type Rows = readonly [rows: number, tokens: number | null];

function planRows(text: string, a: Rows, b: Rows) {
  const models = [a, b].map(([rows], i) => makeModel("ab"[i]!, { [EMBED]: ["F32", [rows, 4]] }));
  const details = [a, b].map(([, tokens], i): [(typeof models)[number], ModelDetails] => {
    const known: TokenRows | null = tokens === null ? null : { rows: tokens, whole: true };
    return [models[i]!, { tokens: known, repeatsEmbedding: false, nonfiniteRows: [] }];
  });
  return { models, found: plan(text, models, { details: new Map(details) }) };
}

describe.each(Object.entries(FORMS))("%s", (_, text) => {
  test("refuses a cut that takes the row of a token of the result's tokenizer", () => {
    const { found } = planRows(text, [130, 130], [128, 128]);
    expect([found.card.runnable, codes(found)]).toEqual([false, ["error mismatch"]]);
    expect(found.card.findings[0]?.message).toContain("ids 128 to 129 would have no row");
  });

  test("keeps spare rows from the first model", () => {
    const { found, models } = planRows(text, [160, 128], [128, 128]);
    expect([found.card.runnable, codes(found)]).toEqual([true, ["note info"]]);
    expect(found.outputs[0]).toMatchObject({ shape: [160, 4], elementCount: 128 * 4 });
    expect(found.outputs[0]?.spare).toBe(models[0]?.tensors.get(EMBED));
    expect(found.configChanges).toEqual({});
  });

  test("keeps spare rows from the other, and the config follows", () => {
    const { found, models } = planRows(text, [128, 128], [160, 128]);
    expect(found.outputs[0]).toMatchObject({ shape: [160, 4], elementCount: 128 * 4 });
    expect(found.outputs[0]?.spare).toBe(models[1]?.tensors.get(EMBED));
    expect(found.configChanges).toEqual({ vocabSize: 160 });
  });

  test("leaves out rows of tokens that the result's tokenizer does not have", () => {
    const { found } = planRows(text, [128, 128], [130, 130]);
    expect([found.card.runnable, codes(found)]).toEqual([true, ["warning mismatch"]]);
    expect(found.outputs[0]).toMatchObject({ shape: [128, 4], elementCount: 128 * 4, spare: null });
  });

  test("takes a model without a tokenizer to have the result's", () => {
    const { found } = planRows(text, [160, 128], [128, null]);
    expect(found.outputs[0]?.shape).toEqual([160, 4]);
  });
});
