import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Recipe } from "../../contract/index.ts";
import { editRecipe } from "./editRecipe.ts";
import { formatRecipe } from "./formatRecipe.ts";
import { parseRecipe } from "./parseRecipe.ts";

const TEXT = `# Our best mix so far.
merge_method: ties   # not dare
base_model: "pivot"

models:
    # the poet
    - model: a
      parameters: {weight: 0.5, density: 0.30}   # tuned by hand
    - model: b  # the mathematician
      parameters:
          weight: [0, 0.5, 1]   # more towards the end
          density: .6

# Shared by both.
parameters: { normalize: yes }
dtype: bfloat16
strange: key  # mergekit ignores it
`;
const edited = (text: string, change: (recipe: Recipe) => Recipe) => {
  const wanted = change(parseRecipe(text).recipe);
  const result = editRecipe(text, wanted);
  expect(parseRecipe(result).recipe).toEqual(wanted);
  return result;
};
const withModel = (index: number, parameters: Recipe["parameters"]) => (recipe: Recipe) => ({
  ...recipe,
  models: recipe.models.map((model, i) =>
    i === index ? { ...model, parameters: { ...model.parameters, ...parameters } } : model,
  ),
});

describe("an edit of a recipe's text", () => {
  test("that changes nothing keeps every character", () => {
    expect(edited(TEXT, (recipe) => ({ ...recipe }))).toBe(TEXT);
  });

  test("of one value replaces that value alone", () => {
    expect(edited(TEXT, withModel(0, { weight: 0.75 }))).toBe(
      TEXT.replace("0.5, dens", "0.75, dens"),
    );
    expect(edited(TEXT, withModel(1, { weight: [0, 0.25, 1] }))).toBe(
      TEXT.replace("[0, 0.5, 1]", "[0, 0.25, 1]"),
    );
    expect(edited(TEXT, (recipe) => ({ ...recipe, base: "no" }))).toBe(
      TEXT.replace('"pivot"', '"no"'),
    );
    expect(edited(TEXT, (recipe) => ({ ...recipe, dtype: "float32" }))).toBe(
      TEXT.replace("bfloat16", "float32"),
    );
  });

  test("of a key that is new or gone keeps all comments and what stands beside it", () => {
    const added = edited(TEXT, withModel(0, { lambda: 1 }));
    const removed = edited(TEXT, ({ dtype: _, ...recipe }) => recipe);
    for (const text of [added, removed]) {
      for (const [comment] of TEXT.matchAll(/# .*/g)) {
        expect(text).toContain(comment);
      }
      expect(text).toContain("density: .6");
      expect(text).toContain("{ normalize: yes }");
    }
    expect(added).toContain("density: 0.30, lambda: 1");
    expect(removed).not.toContain("bfloat16");
  });

  test("of the list of models keeps the comments of those that stay", () => {
    const shorter = edited(TEXT, (recipe) => ({ ...recipe, models: recipe.models.slice(1) }));
    expect(shorter).toContain("# the mathematician");
    expect(shorter).toContain("# more towards the end");
    expect(shorter).not.toContain("tuned by hand");
    const longer = edited(TEXT, (recipe) => ({
      ...recipe,
      models: [...recipe.models, { model: "c", parameters: { weight: 1 } }],
    }));
    for (const [comment] of TEXT.matchAll(/# .*/g)) expect(longer).toContain(comment);
    expect(longer).toContain("    - model: c\n      parameters:\n");
  });

  test("of a value that others share changes that place alone", () => {
    const shared = `merge_method: linear
models:
- model: a
  parameters: &p {weight: 1, x: 2}  # for all
- model: b
  parameters: *p
- model: c
  parameters: {<<: *p, x: 3}
`;
    const second = edited(shared, withModel(1, { weight: 5 }));
    expect(second).toContain("&p {weight: 1, x: 2} # for all");
    const third = edited(shared, withModel(2, { weight: 5 }));
    expect(third).toContain("{<<: *p, x: 3, weight: 5}");
    const first = edited(shared, withModel(0, { weight: 5 }));
    expect(first).toContain("# for all");
  });

  test("of slices, modules and stages keeps to its place", () => {
    const text = `# two steps
name: first   # used below
merge_method: linear
models: [{model: a}]
parameters: {weight: 1}  # all of it
---
merge_method: passthrough
slices:
- sources:
  - {model: first, layer_range: [0, 8]}  # lower half
- sources:
  - {model: b, layer_range: [4, 12]}
`;
    const higher = edited(text, (recipe) => ({
      ...recipe,
      slices: recipe.slices!.map((slice, i) => ({
        ...slice,
        sources: slice.sources.map((source) => ({ ...source, layers: [i, i + 9] as const })),
      })),
    }));
    expect(higher).toBe(text.replace("[0, 8]", "[0, 9]").replace("[4, 12]", "[1, 10]"));
    const stage = edited(text, (recipe) => ({
      ...recipe,
      stages: recipe.stages!.map((each) => ({
        ...each,
        recipe: { ...each.recipe, parameters: { weight: 0.5 } },
      })),
    }));
    expect(stage).toBe(text.replace("weight: 1", "weight: 0.5"));
  });

  test("of a filter that stands alone, and of a vocabulary under its other key", () => {
    const text = `merge_method: linear
models: [{model: a}]
parameters: {weight: {filter: mlp, value: 1}}
tokenizer: {source: base}  # as before
# the end
`;
    const filter = edited(text, (recipe) => ({
      ...recipe,
      parameters: { weight: [{ filter: "mlp", value: 2 }, { value: 1 }] },
    }));
    expect(filter).toContain("# as before");
    const vocabulary = edited(text, (recipe) => ({ ...recipe, tokenizer: { source: "union" } }));
    expect(vocabulary).toContain("# the end");
    expect(vocabulary).not.toContain("base");
  });

  test.each([
    ["", "nothing"],
    ["merge_method: [", "broken YAML"],
    [`merge_method: linear\nmodels: [{model: a}]\nspare: ${bomb()}\n`, "aliases of aliases"],
  ])("of %j writes the recipe (%s)", (text) => {
    const recipe: Recipe = {
      method: "linear",
      models: [{ model: "b", parameters: { weight: 1 } }],
      parameters: {},
    };
    const begun = performance.now();
    expect(parseRecipe(editRecipe(text, recipe)).recipe).toEqual(recipe);
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test("always says the recipe, whatever the texts", () => {
    const word = fc.constantFrom("a", "b", "no", "0.5", "x: y", "#", "<<", "name");
    const level = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), word);
    const settings = fc.dictionary(word, fc.oneof(level, fc.array(fc.nat(9), { minLength: 1 })), {
      maxKeys: 3,
      noNullPrototype: true,
    });
    const models = fc.array(fc.record({ model: word, parameters: settings }), {
      minLength: 1,
      maxLength: 4,
    });
    const recipe = fc.record({ method: word, models, parameters: settings });
    fc.assert(
      fc.property(recipe, recipe, (one, other) => {
        expect(parseRecipe(editRecipe(formatRecipe(one), other)).recipe).toEqual(other);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

/** Lists of aliases of lists, 10¹⁰ values. */
function bomb(): string {
  const lists = Array.from({ length: 10 }, (_, i) => `&l${i + 1} [${`*l${i}, `.repeat(10)}]`);
  return `[&l0 [1], ${lists.join(", ")}]`;
}
