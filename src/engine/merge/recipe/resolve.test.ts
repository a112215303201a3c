import { describe, expect, test } from "vitest";
import { EngineError, type Setting } from "../../contract/index.ts";
import { findMethod } from "../registry.ts";
import { checkSettings } from "./checkSettings.ts";
import { parseRecipe } from "./parseRecipe.ts";
import { countedModels, resolveGlobal, resolveSettings } from "./resolve.ts";

const slerp = (t: Setting) => ({
  method: "slerp",
  base: "base",
  models: [{ model: "a", parameters: {} }],
  parameters: { t },
});
const sampleT = (t: Setting, layer: number | null, layers = 5, tensor = "x") =>
  resolveSettings(findMethod("slerp"), slerp(t), tensor, { layer, layers }).global.t;
const weigh = (text: string, tensor = "x") => {
  const recipe = parseRecipe(text).recipe;
  const resolved = resolveSettings(findMethod(recipe.method), recipe, tensor, {
    layer: null,
    layers: 2,
  });
  return resolved.models.map(({ weight }) => weight);
};
const check = (text: string) => {
  const recipe = parseRecipe(text).recipe;
  return checkSettings(findMethod(recipe.method), recipe);
};
const refusalOf = (run: () => unknown): EngineError => {
  try {
    run();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};
const LINEAR = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n";
const VARM = "merge_method: varm\nbase_model: b\nmodels: [{model: a}]\n";
const TASK =
  "merge_method: task_arithmetic\nbase_model: b\nmodels: [{model: a, parameters: {weight: 1}}]\n";

describe("a gradient", () => {
  test.each([
    ["runs over the whole stack", [0, 1], 2, 5, 0.5],
    ["ends at the last layer", [0, 1], 4, 5, 1],
    ["is taken at its end in a stack of one layer", [0, 1], 0, 1, 1],
    ["is taken at its beginning outside the stack", [0.25, 1], null, 5, 0.25],
    ["of one value is a constant", [0.7], 3, 5, 0.7],
    ["longer than the stack is sampled", [0, 1, 2, 3, 4, 5, 6, 7, 8], 1, 5, 2],
    ["bends at its inner values", [0, 1, 0], 1, 5, 0.5],
    ["ends where a name counts beyond the stack", [0, 1], 9, 5, 1],
  ] as const)("%s", (_, values, layer, layers, expected) => {
    expect(sampleT(values, layer, layers)).toBe(expected);
  });
});

describe("a list with filters", () => {
  const list = [{ filter: "layers.1", value: 0.9 }, { filter: "norm", value: 0.2 }, { value: 0.5 }];
  test.each([
    ["model.layers.1.mlp.up_proj.weight", 0.9],
    ["model.layers.10.mlp.up_proj.weight", 0.9],
    ["model.layers.1.input_layernorm.weight", 0.9],
    ["model.norm.weight", 0.2],
    ["lm_head.weight", 0.5],
  ])("gives %s the first entry whose filter is part of the name", (tensor, value) => {
    expect(sampleT(list, null, 5, tensor)).toBe(value);
  });

  test("is hidden behind a star", () => {
    const starred = [{ filter: "*", value: 0.1 }, ...list];
    expect(sampleT(starred, null, 5, "model.norm.weight")).toBe(0.1);
  });

  test("falls through to the recipe's own setting, and then to the default", () => {
    const text = `merge_method: linear
models:
- {model: a, parameters: {weight: [{filter: mlp, value: 0.1}]}}
- {model: b, parameters: {weight: 0.3}}
parameters: {weight: 0.2}
`;
    expect(weigh(text, "mlp")).toEqual([0.1, 0.3]);
    expect(weigh(text, "attn")).toEqual([0.2, 0.3]);
    expect(sampleT([{ filter: "no", value: 0 }, { value: 1 }], null)).toBe(1);
  });

  test("without a match leaves a required parameter missing, by name", () => {
    const error = refusalOf(() =>
      sampleT([{ filter: "mlp", value: 0 }], null, 5, "lm_head.weight"),
    );
    expect(error.code).toBe("bad-recipe");
    expect(error.message).toContain('"t" is required and has no value for the tensor "lm_head');
  });
});

describe("kinds", () => {
  test.each([
    ["normalize: 1", true],
    ["normalize: 0", false],
    ['normalize: "off"', false],
    ["normalize: [{filter: zzz, value: false}]", true],
  ])("%s is a truth value", (setting, expected) => {
    const recipe = parseRecipe(`${LINEAR}parameters: {${setting}}`).recipe;
    expect(resolveGlobal(findMethod("linear"), recipe).normalize).toBe(expected);
  });

  test("a number may be quoted, or be a truth value", () => {
    expect(sampleT("0.5", null)).toBe(0.5);
    expect(sampleT(true, null)).toBe(1);
  });

  test.each([
    ["a number", `${LINEAR}parameters: {weight: much}`, "finite number"],
    ["a truth value", `${LINEAR}parameters: {normalize: 2}`, "true or false"],
    ["a known choice", `${VARM}parameters: {granularity: matrixx}`, 'Did you mean "matrix"'],
    ["one choice for all", `${VARM}parameters: {granularity: [{value: layer}]}`, "filters"],
    ["one choice at every depth", `${VARM}parameters: {granularity: [layer]}`, "whole merge"],
    ["a known name", `${VARM}parameters: {shar: 1}`, 'Did you mean "share"'],
    ["a name of its scope", VARM.replace("}", ", parameters: {statistic: abs}}"), "not per model"],
    ["a name that is the recipe's own", `${VARM}parameters: {constructor: 1}`, "unknown"],
  ])("a setting must be %s", (_, text, words) => {
    const error = refusalOf(() => check(text));
    expect(error.code).toBe("bad-recipe");
    expect(error.message).toContain(words);
  });

  test("a list of flags chooses steps, and of texts that are numbers makes a gradient", () => {
    const normalize = (setting: string, layer: number | null) => {
      const { recipe } = parseRecipe(`${LINEAR}parameters: {normalize: ${setting}}`);
      const at = { layer, layers: 5 };
      return resolveSettings(findMethod("linear"), recipe, "w", at).global.normalize;
    };
    // mergekit 0.1.5: entry trunc(t · (n - 1)), t from 0 to 1 over the layers, 0 outside of them.
    for (const [layer, value] of [
      [null, false],
      [0, false],
      [1, false],
      [2, true],
      [4, false],
    ] as const) {
      expect(normalize("[false, true, off]", layer)).toBe(value);
    }
    expect(normalize('["no", "T", "N"]', 2)).toBe(true);
    expect(sampleT(["1e-5", "1e-3"], 2)).toBeCloseTo(5.05e-4, 12);
  });

  test("an empty list is no value: the next level counts", () => {
    const text = "merge_method: linear\nmodels: [{model: a, parameters: {weight: []}}]\n";
    expect(weigh(`${text}parameters: {weight: 0.25}`)).toEqual([0.25]);
  });

  test("patterns may be one word or a list", () => {
    const globals = (include: string) =>
      resolveGlobal(
        findMethod("varm"),
        parseRecipe(`${VARM}parameters: {include: ${include}}`).recipe,
      );
    expect(globals("mlp").include).toEqual(["mlp"]);
    expect(globals("[mlp, attn]").include).toEqual(["mlp", "attn"]);
    expect(globals("[1, 2]").include).toEqual(["1", "2"]);
  });
});

describe("what has no effect is said", () => {
  test("of parameters that mergekit takes and never reads", () => {
    const findings = check(`${TASK}parameters: {density: 0.5, int8_mask: true, lambda: 1}`);
    expect(findings.map(({ severity, message }) => [severity, message.split('"')[1]])).toEqual([
      ["warning", "density"],
      ["warning", "int8_mask"],
    ]);
  });

  test("of a base that is listed with a weight, and it is not counted as a model", () => {
    const recipe = parseRecipe(
      "merge_method: task_arithmetic\nbase_model: b\nmodels: [{model: b, parameters: {weight: 2}}, {model: a}]\nparameters: {weight: 1}",
    ).recipe;
    const method = findMethod("task_arithmetic");
    expect(countedModels(method, recipe)).toEqual([1]);
    expect(checkSettings(method, recipe)).toMatchObject([{ severity: "warning", model: "b" }]);
    expect(
      weigh("merge_method: linear\nbase_model: a\nmodels: [{model: a, parameters: {weight: 2}}]"),
    ).toEqual([2]);
  });

  test("of what mergekit ignores, with the nearest name and the line", () => {
    const text = `merge_method: slerp
base_model: a
models:
- model: a
- model: b
  parameters: {t: 0.5}
parameters:
  t: 0.5
  nromalize: true
  dtype: bfloat16
`;
    const { recipe, lines } = parseRecipe(text);
    const found = checkSettings(findMethod(recipe.method), recipe, lines);
    expect(found.map(({ severity, line }) => [severity, line])).toEqual([
      ["warning", 9],
      ["warning", 10],
      ["warning", 6],
    ]);
    expect(found[1]?.message).toContain("top of a recipe");
    expect(found[2]?.message).toContain(`state it under the recipe's own "parameters"`);
    const ties = parseRecipe(
      `${TASK.replace("task_arithmetic", "ties")}parameters: {nromalize: 1}`,
    );
    const [misspelt] = checkSettings(findMethod("ties"), ties.recipe);
    expect(misspelt?.message).toContain('Did you mean "normalize"?');
  });

  test("of nothing in a recipe whose settings all count", () => {
    expect(check(TASK)).toEqual([]);
  });
});
