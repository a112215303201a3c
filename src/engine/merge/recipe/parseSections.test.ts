import { describe, expect, test } from "vitest";
import { formatRecipe } from "./formatRecipe.ts";
import { parseRecipe } from "./parseRecipe.ts";
import { refusalOf } from "./testTexts.ts";

describe("slices and modules", () => {
  const SLICE = `merge_method: slerp
base_model: a
slices:
- sources:
  - {model: a, layer_range: [0, 2]}
  - {model: b, layer_range: [1, "3"], parameters: {x: 1}}
  parameters: {t: [{filter: mlp, value: 0.1}]}
parameters: {t: 0.5}
`;
  const slices = [
    {
      sources: [
        { model: "a", layers: [0, 2], parameters: {} },
        { model: "b", layers: [1, 3], parameters: { x: 1 } },
      ],
      parameters: { t: [{ filter: "mlp", value: 0.1 }] },
    },
  ];

  test("are read as they are stated, with the lines of their parameters", () => {
    const { recipe, lines } = parseRecipe(SLICE);
    expect(recipe).toEqual({
      method: "slerp",
      base: "a",
      models: [],
      slices,
      parameters: { t: 0.5 },
    });
    expect({ ...lines }).toEqual({ t: 8, "slices.0.t": 7, "slices.0.sources.1.x": 6 });
  });

  test("in a module of whatever name", () => {
    const indented = SLICE.split("\n").slice(2, -2).join("\n    ");
    const text = `merge_method: slerp\nbase_model: a\nmodules:\n  text_decoder:\n    ${indented}\n    parameters: {t: 1}\n`;
    const modules = [{ name: "text_decoder", models: [], slices, parameters: { t: 1 } }];
    expect(parseRecipe(text).recipe).toEqual({
      method: "slerp",
      base: "a",
      models: [],
      modules,
      parameters: {},
    });
  });

  test.each([
    ["slices of unequal length", SLICE.replace("[0, 2]", "[0, 3]"), 6, "same number of layers"],
    ["a range that is none", SLICE.replaceAll("[0, 2]", "[0, -1]"), 5, "[first, end)"],
    ["a range of three", SLICE.replaceAll("[0, 2]", "[0, 2, 3]"), 5, "[first, end)"],
    [
      "an empty slice",
      SLICE.replace("parameters: {t: 0", "- sources: []\nparameters: {t: 0"),
      8,
      "",
    ],
    ["a base that no source is", SLICE.replace("base_model: a", "base_model: c"), 1, "not among"],
    [
      "a base of the slice that no source is",
      SLICE.replace("  parameters: {t: [", "  base_model: c\n  parameters: {t: ["),
      1,
      "not among",
    ],
    ["a module of nothing", "merge_method: linear\nmodules: {x: {parameters: {}}}\n", 2, "either"],
    ["no module", "merge_method: linear\nmodules: {}\n", 2, "at least one"],
  ])("but %s is refused", (_, text, line, words) => {
    const { code, message, details } = refusalOf(text);
    expect([code, details.line]).toEqual(["bad-recipe", line]);
    expect(message).toContain(words);
  });
});

describe("several documents", () => {
  const named = (name: string, ...models: readonly string[]) =>
    `name: ${name}\nmerge_method: linear\nmodels: [${models.map((model) => `{model: ${model}}`).join(", ")}]\nparameters: {weight: 1}\n`;
  const final = (...models: readonly string[]) => named("x", ...models).replace("name: x\n", "");
  const text = (...documents: readonly string[]) => documents.join("---\n");

  test("are merges that name each other's results, in the order in which they are made", () => {
    const { recipe, findings, lines } = parseRecipe(
      text(final("second", "a"), named("second", "first+lora", "b"), named("first", "a", "b")),
    );
    expect(findings).toEqual([]);
    expect(recipe.models.map(({ model }) => model)).toEqual(["second", "a"]);
    expect(recipe.stages?.map(({ name }) => name)).toEqual(["first", "second"]);
    expect(recipe.stages?.[1]?.recipe).toEqual({
      method: "linear",
      models: ["first+lora", "b"].map((model) => ({ model, parameters: {} })),
      parameters: { weight: 1 },
    });
    expect({ ...lines }).toEqual({ weight: 3, "stages.0.weight": 13, "stages.1.weight": 8 });
  });

  test("all with names end in the one that no other needs", () => {
    const { recipe } = parseRecipe(text(named("one", "a", "b"), named("two", "one", "c")));
    expect(recipe.models[0]?.model).toBe("one");
    expect(recipe.stages?.map(({ name }) => name)).toEqual(["one"]);
  });

  test("are also used as a base, in slices and in modules", () => {
    const sliced = `merge_method: task_arithmetic
base_model: one
modules:
  default:
    slices: [{sources: [{model: one, layer_range: [0, 1]}, {model: two, layer_range: [0, 1]}]}]
`;
    const { recipe } = parseRecipe(text(named("one", "a"), named("two", "b"), sliced));
    expect(recipe.stages?.map(({ name }) => name)).toEqual(["one", "two"]);
  });

  test("that hold nothing, and marks around one document, do not count", () => {
    const { recipe } = parseRecipe(`# nothing\n---\n---\n${final("a")}---\n`);
    expect(recipe).toEqual(parseRecipe(final("a")).recipe);
  });

  test("that none needs are said", () => {
    const { recipe, findings } = parseRecipe(text(named("spare", "a"), final("a", "b")));
    expect(recipe.stages).toBeUndefined();
    expect(findings).toMatchObject([{ line: 1, message: expect.stringContaining('"spare"') }]);
  });

  test.each([
    ["two without a name", text(final("a"), final("b")), 5, 'no "name"'],
    ["two of one name", text(named("x", "a"), named("x", "b"), final("x")), 6, 'called "x"'],
    ["a circle", text(named("x", "y"), named("y", "x"), final("x")), 1, '"x" needs "y" needs "x"'],
    ["one that needs itself", text(named("x", "x"), final("x")), 1, '"x" needs "x"'],
    ["an error in the second", text(named("x", "a"), "merge_method: linear\n"), 6, 'no "models"'],
    ["broken YAML in the second", text(named("x", "a"), "models: [\n"), 7, "not valid YAML"],
  ])("with %s are refused", (_, written, line, words) => {
    const { code, message, details } = refusalOf(written);
    expect([code, details.line]).toEqual(["bad-recipe", line]);
    expect(message).toContain(words);
  });

  test("of a long chain are formatted and read again as they were", () => {
    const chain = Array.from({ length: 40 }, (_, i) => named(`m${i}`, i === 0 ? "a" : `m${i - 1}`));
    const { recipe } = parseRecipe(text(...chain.toReversed()));
    expect(recipe.stages).toHaveLength(39);
    expect(parseRecipe(formatRecipe(recipe)).recipe).toEqual(recipe);
  });
});
