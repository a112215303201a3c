import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EngineError,
  type Recipe,
  type RecipeInputs,
  type RecipeSlice,
} from "../../contract/index.ts";
import { formatRecipe } from "./formatRecipe.ts";
import { parseRecipe } from "./parseRecipe.ts";

describe("a formatted recipe", () => {
  const name = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
    fc.constantFrom("no", "1e-5", "0.5", "~", "null", "a: b", "- x", "#", "`", '"', "2001-01-01"),
    fc.constantFrom(
      " a",
      "a ",
      "a\nb",
      "\u0085",
      "\u2028",
      "\t",
      "é",
      "模型",
      "&a",
      "*a",
      "<<",
      "=",
    ),
  );
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const level = fc.oneof(number, fc.boolean(), name, fc.array(number, { minLength: 1 }));
  const setting = fc.oneof(
    level,
    fc.array(fc.record({ filter: name, value: level }, { requiredKeys: ["value"] }), {
      minLength: 1,
    }),
    // Words that are all numbers read as numbers, which the parameter's kind settles.
    fc.array(name, { minLength: 1 }),
  );
  const settings = fc.dictionary(name, setting, { maxKeys: 3, noNullPrototype: true });
  const models = fc.array(fc.record({ model: name, parameters: settings }), {
    minLength: 1,
    maxLength: 3,
  });
  const layers = fc.tuple(fc.nat(40), fc.nat(40));
  const slice = fc
    .record(
      {
        sources: models,
        layers,
        base: name,
        parameters: settings,
      },
      { requiredKeys: ["sources", "layers", "parameters"], noNullPrototype: true },
    )
    .map(({ sources, layers: [first, count], ...rest }): RecipeSlice => {
      const range = [first, first + count] as const;
      return { ...rest, sources: sources.map((source) => ({ ...source, layers: range })) };
    });
  const slices = fc.array(slice, { minLength: 1, maxLength: 2 });
  const stack = fc.oneof(
    models.map((own): Omit<RecipeInputs, "parameters"> => ({ models: own })),
    slices.map((own): Omit<RecipeInputs, "parameters"> => ({ models: [], slices: own })),
  );
  const modules = fc.array(fc.record({ name, parameters: settings, stack }), {
    minLength: 1,
    maxLength: 2,
  });
  const inputs = fc.oneof(
    stack,
    modules.map((list): Pick<Recipe, "models" | "modules"> => {
      const named = new Map(list.map((module) => [module.name, module]));
      const own = [...named.values()].map(({ stack: each, ...rest }) => ({ ...rest, ...each }));
      return { models: [], modules: own };
    }),
  );
  const tokenSource = fc.oneof(
    fc.record({ kind: fc.constant("zero" as const) }, { noNullPrototype: true }),
    fc.record({ kind: fc.constant("model" as const), model: name }, { noNullPrototype: true }),
    fc.record(
      { kind: fc.constant("token" as const), model: name, token: fc.oneof(fc.nat(), name) },
      { noNullPrototype: true },
    ),
  );
  const token = fc.record(
    { token: name, source: tokenSource, force: fc.constant(true as const) },
    { requiredKeys: ["token"], noNullPrototype: true },
  );
  const tokenizer = fc.record(
    {
      source: name,
      tokens: fc.uniqueArray(token, { minLength: 1, maxLength: 4, selector: (each) => each.token }),
      padToMultipleOf: fc.integer({ min: 1, max: 512 }),
    },
    { requiredKeys: ["source"], noNullPrototype: true },
  );
  const recipe: fc.Arbitrary<Recipe> = fc
    .record({
      // No method of that name has a base to look for among the sources.
      method: name,
      base: fc.option(name, { nil: undefined }),
      inputs,
      parameters: settings,
      dtype: fc.constantFrom("float32" as const, undefined),
      tokenizer: fc.option(tokenizer, { nil: undefined }),
      chatTemplate: fc.option(
        fc.oneof(
          fc.constantFrom("auto", "chatml", "llama3"),
          fc.string({ minLength: 20 }).map((text) => `{{ ${text} }}`),
        ),
        { nil: undefined },
      ),
    })
    .map(({ base, dtype, tokenizer: words, chatTemplate, inputs: own, ...rest }) => ({
      ...rest,
      ...own,
      ...(base && { base }),
      ...(dtype && { dtype }),
      ...(words && { tokenizer: words }),
      ...(chatTemplate && { chatTemplate }),
    }));

  test("reads as the same recipe", () => {
    fc.assert(
      fc.property(recipe, (given) => {
        expect(parseRecipe(formatRecipe(given)).recipe).toEqual(given);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test("writes small numbers with a dot, which PyYAML needs", () => {
    const text = formatRecipe({
      method: "linear",
      models: [{ model: "a", parameters: { weight: 1e-7 } }],
      parameters: { t: [2.5e-10, 1e21, 3, -0] },
    });
    expect(text).toContain("weight: 1.0e-7\n");
    expect(text).toContain("t: [2.5e-10, 1.0e+21, 3, -0.0]\n");
  });

  test("refuses a number that YAML readers disagree on", () => {
    const models = [{ model: "a", parameters: {} }];
    const bad = { method: "linear", models, parameters: { t: Number.NaN } };
    expect(() => formatRecipe(bad)).toThrow(EngineError);
  });
});
