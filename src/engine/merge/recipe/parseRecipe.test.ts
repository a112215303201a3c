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
import { readScalar } from "./scalar.ts";

function refusalOf(text: string): EngineError {
  try {
    parseRecipe(text);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("the recipe was not refused");
}

const START = "merge_method: linear\nmodels:\n- model: a\n";
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
