import { describe, expect, test } from "vitest";
import type { Recipe } from "../../contract/index.ts";
import { parseRecipe } from "./parseRecipe.ts";
import { readScalar } from "./scalar.ts";
import { refusalOf, START } from "./testTexts.ts";

const weightOf = (value: string) =>
  parseRecipe(`${START}parameters:\n  weight: ${value}\n`).recipe.parameters.weight;

describe("what a recipe says", () => {
  test("is read from mergekit's own form", () => {
    const text = `
merge_method: task_arithmetic
base_model: ./pivot  # before fine-tuning
models:
  - model: org/name@main
    parameters:
      weight: [0, 0.5, 1]
  - model: "b: c"
    parameters:
      weight:
        - filter: mlp
          value: [0.25, 1]
        - filter: "*"
          value: 0.5
parameters: {normalize: no, lambda: 1e-1}
dtype: float32
out_dtype: bfloat16
`;
    expect(parseRecipe(text).recipe).toEqual({
      method: "task_arithmetic",
      base: "./pivot",
      models: [
        { model: "org/name@main", parameters: { weight: [0, 0.5, 1] } },
        {
          model: "b: c",
          parameters: {
            weight: [
              { filter: "mlp", value: [0.25, 1] },
              { filter: "*", value: 0.5 },
            ],
          },
        },
      ],
      parameters: { normalize: false, lambda: 0.1 },
      dtype: "float32",
      outDtype: "bfloat16",
    } satisfies Recipe);
  });

  test.each([
    ["1e-5", 1e-5],
    ["1.0e-5", 1e-5],
    ["1.5e+3", 1500],
    ["-.5", -0.5],
    ["012", 10],
    ["0x1F", 31],
    ["1_000", 1000],
    ["1:30", 90],
    ["no", false],
    ["On", true],
    ["y", "y"],
    ['"0.5"', "0.5"],
    ["!!str 5", "5"],
    ["!!float 5", 5],
    ["[yes, 0.5]", [1, 0.5]],
    ["[a, b]", ["a", "b"]],
    ["[]", []],
    ["[{value: 1}]", [{ value: 1 }]],
    ["[{filter: 1, value: 2}]", [{ filter: "1", value: 2 }]],
    ["{filter: mlp, value: 2}", [{ filter: "mlp", value: 2 }]],
  ])("reads %s as YAML 1.1 does", (written, value) => {
    expect(weightOf(written)).toEqual(value);
  });

  test("holds names as they are written, whatever YAML would make of them", () => {
    const { models } = parseRecipe(
      "merge_method: linear\nmodels: [{model: 007}, {model: no}]",
    ).recipe;
    expect(models.map(({ model }) => model)).toEqual(["007", "no"]);
  });

  test("may be shared through anchors and merge keys", () => {
    const text = `merge_method: linear
models:
- model: a
  parameters: &shared {weight: 1, x: 2}
- model: b
  parameters: {<<: *shared, x: 3}
- model: c
  parameters: *shared
`;
    expect(parseRecipe(text).recipe.models.map(({ parameters }) => parameters)).toEqual([
      { weight: 1, x: 2 },
      { x: 3, weight: 1 },
      { weight: 1, x: 2 },
    ]);
  });
});

test("a chat template is auto, a built-in one, or Jinja that is more than a word", () => {
  const read = (template: string) => parseRecipe(`${START}chat_template: ${template}\n`).recipe;
  expect(read("exaone").chatTemplate).toBe("exaone");
  expect(read("'{{ messages[0].content }}'").chatTemplate).toBe("{{ messages[0].content }}");
  for (const wrong of ["chatlm", "'{{ x }}'", "no braces in these words"]) {
    expect(() => read(wrong)).toThrow("one of alpaca, chatml, exaone, llama3, mistral");
  }
});

describe("keys that mergekit ignores are findings with their line", () => {
  test.each([
    ["a misspelt key", `${START}base_modle: b\n`, 4, 'Did you mean "base_model"?'],
    ["a parameter at the top", `${START}normalize: false\n`, 4, 'state it under "parameters"'],
    ["a key of a model", `${START}  layer_range: [0, 2]\n`, 4, '"layer_range"'],
    ["a name", `name: mine\n${START}`, 1, '"name"'],
  ])("%s", (_, text, line, words) => {
    const { recipe, findings } = parseRecipe(text);
    expect(recipe.models).toEqual([{ model: "a", parameters: {} }]);
    expect(findings).toMatchObject([{ severity: "warning", code: "bad-recipe", line }]);
    expect(findings[0]?.message).toContain(words);
  });

  // mergekit 0.1.5 gives the same bytes with these keys and without them.
  test("a key beside a filter and its value", () => {
    const entries = "[{filter: mlp, value: 0.2, scale: 3}, {filtre: attn, value: 1}]";
    const { recipe, findings } = parseRecipe(`${START}parameters: {weight: ${entries}}\n`);
    expect(recipe.parameters.weight).toEqual([{ filter: "mlp", value: 0.2 }, { value: 1 }]);
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('"scale" in an entry of "weight"'),
      expect.stringContaining('Did you mean "filter"?'),
    ]);
    expect(findings).toMatchObject([{ line: 4 }, { line: 4 }]);
  });

  test("and there are none in a recipe without", () => {
    const text = `tokenizer_source: union\nchat_template: auto\n${START}dtype: float32\n`;
    expect(parseRecipe(text)).toMatchObject({
      recipe: { tokenizer: { source: "union" }, chatTemplate: "auto" },
      findings: [],
    });
  });

  test("lines of parameters are those of the text", () => {
    const text = `merge_method: linear
models:
- model: a
  parameters:
    weight: 1
- model: b
parameters:
  normalize: true
`;
    expect({ ...parseRecipe(text).lines }).toEqual({ "models.0.weight": 5, normalize: 8 });
  });
});

describe("a tokenizer", () => {
  test("is read with its tokens", () => {
    const text = `${START}tokenizer:
  source: union
  pad_to_multiple_of: 64
  tokens:
    <|im_start|>:
      source: a
      force: true
    <|pad|>: {source: {kind: zero}}
    x: {source: {kind: model_token, model: a, token: y}}
    z: {source: {kind: model_token, model: {model: {path: b}}, token_id: 7}}
`;
    expect(parseRecipe(text).recipe.tokenizer).toEqual({
      source: "union",
      padToMultipleOf: 64,
      tokens: [
        { token: "<|im_start|>", source: { kind: "model", model: "a" }, force: true },
        { token: "<|pad|>", source: { kind: "zero" } },
        { token: "x", source: { kind: "token", model: "a", token: "y" } },
        { token: "z", source: { kind: "token", model: "b", token: 7 } },
      ],
    });
  });

  test("of mergekit's default is a union, and a bare source is one too", () => {
    expect(parseRecipe(`${START}tokenizer: {}\n`).recipe.tokenizer).toEqual({ source: "union" });
    const { tokenizer } = parseRecipe(`${START}tokenizer_source: base\n`).recipe;
    expect(tokenizer).toEqual({ source: "base" });
  });
});

describe("a recipe is refused with line, column and key", () => {
  test.each([
    ["two forms of inputs", `${START}slices: [1]\n`, 4, 1, "slices", "exclude each other"],
    ["no inputs", "merge_method: linear\n", 1, 1, "models", 'no "models"'],
    ["a duplicate key", `${START}dtype: float32\ndtype: float16\n`, 5, 1, "dtype", "twice"],
    ["no models", "merge_method: linear\nmodels: []\n", 2, 1, "models", "at least one"],
    ["an unknown dtype", `${START}dtype: bf16\n`, 4, 8, "dtype", "bfloat16"],
    ["half a condition", `${START}parameters: {t: {filter: a}}\n`, 4, 18, "t", "no value"],
    [
      "a tokenizer twice",
      `${START}tokenizer: {}\ntokenizer_source: base\n`,
      4,
      1,
      "tokenizer",
      "exclude",
    ],
    [
      "a token of nothing",
      `${START}tokenizer: {tokens: {a: {source: {kind: model_token, model: a}}}}\n`,
      4,
      26,
      "source",
      "token_id",
    ],
    ["a mixed list", `${START}parameters: {t: [1, x]}\n`, 4, 21, "t", "mixes"],
    [
      "a misspelt value",
      `${START}parameters: {t: {filter: a, valu: 1}}\n`,
      4,
      18,
      "t",
      'Did you mean "value"?',
    ],
    ["a mixed filter list", `${START}parameters: {t: [1, {value: 2}]}\n`, 4, 18, "t", "mixes"],
    ["an infinite number", `${START}parameters: {t: .inf}\n`, 4, 17, "t", "finite"],
    ["a number too large", `${START}parameters: {t: [1, 1e999]}\n`, 4, 21, "t", "finite"],
    ["an empty value", `${START}parameters:\n  t:\n`, 5, 5, "t", "no value"],
    ["an unknown tag", `${START}parameters: {t: !!python/none 1}\n`, 4, 31, undefined, "tag"],
  ] as const)("%s", (_, text, line, column, key, words) => {
    const { code, message, details } = refusalOf(text);
    expect(code).toBe("bad-recipe");
    expect(message).toContain(words);
    expect(details).toMatchObject({ line, column, ...(key && { key }) });
  });

  test.each([
    ["nothing", ""],
    ["a list", "- a"],
    ["no method", "models: [{model: a}]"],
    ["two documents", `${START}---\n${START}`],
    ["broken YAML", "merge_method: [linear"],
    ["an alias of nothing", "merge_method: *x\nmodels: [{model: a}]"],
    ["more than 1 MiB", `${START}#${"x".repeat(1 << 20)}`],
    ["nesting without end", `${START}parameters: {t: ${"[".repeat(20_000)}`],
  ])("%s", (_, text) => {
    expect(refusalOf(text).code).toBe("bad-recipe");
  });

  test.each([
    ["tag", `!${"x".repeat(900_000)} 1`],
    ["number", "9".repeat(900_000)],
  ])("a %s of 900,000 characters, without repeating it", (_, value) => {
    const { message, details } = refusalOf(`${START}parameters: {t: ${value}}`);
    expect(message.length).toBeLessThan(1100);
    expect(details.line).toBeGreaterThan(1);
  });

  test("a nest of aliases that would unfold to a billion values", () => {
    const list = `[${"1, ".repeat(1000)}1]`;
    const models = Array.from({ length: 200 }, () => "- {model: a, parameters: *p}").join("\n");
    const text = `merge_method: linear
parameters: &p
  a: &list ${list}
${Array.from({ length: 200 }, (_, i) => `  p${i}: *list`).join("\n")}
models:
${models}
`;
    expect(refusalOf(text).message).toContain("100000 values");
  });

  test("but not for a parameter with a name that JavaScript uses", () => {
    const { parameters } = parseRecipe(`${START}parameters: {__proto__: 1, constructor: 2}`).recipe;
    expect(Object.keys(parameters)).toEqual(["__proto__", "constructor"]);
  });
});

test("words are what YAML 1.1 takes them for, not what YAML 1.2 does", () => {
  expect(["~", "", "yes", "0b11", "-0o7", ".nan"].map(readScalar)).toEqual([
    null,
    null,
    true,
    3,
    "-0o7",
    Number.NaN,
  ]);
});
