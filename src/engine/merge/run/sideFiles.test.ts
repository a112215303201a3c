import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { namedModels, type Recipe, type WeightMap } from "../../contract/index.ts";
import { bytesInMemory, readAll } from "../../core/bytes.ts";
import { planMerge } from "../plan/plan.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { findMethod } from "../registry.ts";
import { makeModel, type Tensors } from "../testModels.ts";
import { makeDocuments } from "./sideFiles.ts";

const TENSORS: Tensors = { "model.layers.0.mlp.up_proj.weight": ["BF16", [4, 4]] };
const text = (content: string) => bytesInMemory(new TextEncoder().encode(content));
const readme = (licence: string) => text(`---\nlicense: ${licence}\n---\n# A model\n`);

function withFiles(name: string, files: Readonly<Record<string, string>>): Checkpoint {
  const entries = Object.entries(files).map(([path, content]) => [path, text(content)] as const);
  return { ...makeModel(name, TENSORS, { torch_dtype: "bfloat16" }), files: new Map(entries) };
}

async function make(
  recipe: Recipe,
  checkpoints: readonly Checkpoint[],
  map: WeightMap | null = null,
) {
  const find = (name: string) => checkpoints.find((checkpoint) => checkpoint.name === name)!;
  const plan = planMerge({
    method: findMethod(recipe.method),
    recipe,
    checkpoints: new Map(namedModels(recipe).map((name) => [name, find(name)])),
    shardBytes: 5e9,
    budget: { tileBytes: 1e6, slots: 3 },
  });
  const files = await makeDocuments(plan, { name: "ember-varm", map });
  return new Map(
    await Promise.all(
      [...files].map(async ([path, source]): Promise<[string, string]> => {
        const bytes = await readAll(source, 1 << 20);
        return [path, new TextDecoder().decode(bytes)];
      }),
    ),
  );
}

const VARM = parseRecipe(
  "merge_method: varm\nbase_model: base\nmodels: [{model: a}, {model: b}]",
).recipe;
const LINEAR = parseRecipe(
  "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]",
).recipe;
const three = () => ["base", "a", "b"].map((name) => withFiles(name, { "tokenizer.json": name }));

describe("the files beside the weights", () => {
  test("hold the template's tokenizer byte for byte and leave its weights and notes behind", async () => {
    const template = withFiles("base", {
      "tokenizer.json": "\uFEFF{}\r\n",
      "chat_template.jinja": "{{ x }}",
      "tokenizer.model": "\u0000\u0001",
      "additional_chat_templates/rag.jinja": "y",
      "generation_config.json": "{}",
      LICENSE: "terms",
      "README.md": "not this",
      "model.safetensors": "no",
      "optimizer.pt": "no",
      "../tokenizer.json": "no",
      "notes.md": "no",
      "modeling_x.py": "no",
      "USE_POLICY.md": "terms",
      "1_Pooling/config.json": "z",
    });
    const files = await make(VARM, [template, ...three().slice(1)]);
    expect([...files.keys()].sort()).toEqual([
      "1_Pooling/config.json",
      "LICENSE",
      "README.md",
      "USE_POLICY.md",
      "additional_chat_templates/rag.jinja",
      "chat_template.jinja",
      "config.json",
      "generation_config.json",
      "recipe.json",
      "tokenizer.json",
      "tokenizer.model",
    ]);
    expect(files.get("tokenizer.model")).toBe("\u0000\u0001");
  });

  test("say the dtype that is written", async () => {
    const files = await make({ ...VARM, outDtype: "float32" }, three());
    expect(JSON.parse(files.get("config.json")!).torch_dtype).toBe("float32");
  });

  test("are the same bytes for the same plan", async () => {
    expect(await make(VARM, three())).toEqual(await make(VARM, three()));
  });

  test("tell everything in recipe.json", async () => {
    const record = JSON.parse((await make(VARM, three())).get("recipe.json")!);
    expect(record.recipe).toEqual(VARM);
    expect(record.method.parameters).toMatchObject({ granularity: "matrix", statistic: "square" });
    expect(record.models[1]).toEqual({
      key: "b",
      name: "b",
      architecture: "LlamaModel",
      parameters: 16,
    });
  });
});

describe("mergekit_config.yml", () => {
  test("asks mergekit for float32 arithmetic, which the studio always does", async () => {
    const written = (await make({ ...LINEAR, dtype: "bfloat16" }, three())).get(
      "mergekit_config.yml",
    );
    expect(parseRecipe(written!).recipe).toEqual({
      ...LINEAR,
      dtype: "float32",
      outDtype: "bfloat16",
    });
  });

  test("is absent where mergekit has no such method", async () => {
    expect((await make(VARM, three())).has("mergekit_config.yml")).toBe(false);
  });

  const ties = (weight: number, profile: string) =>
    parseRecipe(
      `merge_method: ties\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: ${weight}}}]\nparameters: {${profile}}`,
    ).recipe;
  test.each([
    [0.5, "", true],
    [0.5, "profile: mergekit", true],
    // Equal weights are equal votes, and then the paper's numbers are mergekit's.
    [1, "profile: paper", true],
    [0.5, "profile: paper", false],
  ])("is there where mergekit gives the same: weight %f, %s", async (weight, profile, is) => {
    const written = (await make(ties(weight, profile), three())).get("mergekit_config.yml");
    expect(written !== undefined).toBe(is);
    expect(written ?? "").not.toContain("profile");
  });
});

describe("the model card", () => {
  const card = async (
    checkpoints: readonly Checkpoint[],
    recipe = VARM,
    map: WeightMap | null = null,
  ) => (await make(recipe, checkpoints, map)).get("README.md")!;
  const licensed = (name: string, licence: string) => {
    const model = withFiles(name, {});
    return { ...model, files: new Map([["README.md", readme(licence)]]) };
  };

  test("begins with what the Hub reads", async () => {
    const front = (await card(three())).split("---")[1];
    expect(front).toBe(
      "\nbase_model:\n- base\n- a\n- b\nbase_model_relation: merge\nlibrary_name: transformers\ntags:\n- merge\n",
    );
  });

  test("keeps owner and name of what is on the Hub or in its cache, and says when mergekit agrees", async () => {
    const cached = "hub/models--acme--ember-7B/snapshots/0a1b";
    const recipe = parseRecipe(
      `merge_method: linear\nmodels: [{model: acme/tales, parameters: {weight: 1}}, {model: ${cached}, parameters: {weight: 1}}, {model: ../models/deep/local, parameters: {weight: 1}}]`,
    ).recipe;
    const files = await make(
      recipe,
      recipe.models.map(({ model }) => withFiles(model, {})),
    );
    expect(files.has("mergekit_config.yml")).toBe(true);
    const [front] = files.get("README.md")!.split("\n---\n");
    expect(front).toContain("base_model:\n- acme/tales\n- acme/ember-7B\n- local\n");
    expect(front).toContain("tags:\n- merge\n- mergekit");
  });

  test("inherits a licence that no source contradicts", async () => {
    const models = [
      licensed("base", "apache-2.0"),
      licensed("a", "apache-2.0"),
      withFiles("b", {}),
    ];
    expect(await card(models)).toContain("\nlicense: apache-2.0\n---");
  });

  test("states no licence where the sources differ, and says so", async () => {
    const models = [licensed("base", "apache-2.0"), licensed("a", "mit"), withFiles("b", {})];
    const written = await card(models);
    expect(written).not.toContain("\nlicense:");
    expect(written).toContain("- a: mit");
  });

  test.each(["&x [mit]", "{a: b}", "'m\\nit'", "*y", "MIT License!"])(
    "takes no licence from front matter that says %s",
    async (licence) => {
      expect(await card([licensed("base", licence), ...three().slice(1)])).not.toContain(
        "license:",
      );
    },
  );

  test("holds names that would break out of YAML, Markdown and fences", async () => {
    const evil = "x/```\n---\nlicense: mit\n# [click](http://evil) <img src=x> | `";
    const models = [withFiles("base", {}), withFiles(evil, {}), withFiles("b", {})];
    const recipe = { ...VARM, models: [evil, "b"].map((model) => ({ model, parameters: {} })) };
    const written = await card(models, recipe);
    const lines = written.split("\n");
    expect(lines.filter((line) => line === "---")).toHaveLength(2);
    expect(lines.filter((line) => /^(license:|# \[)/.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith("````"))).toHaveLength(2);
    expect(lines.indexOf("---", 1)).toBe(lines.indexOf("- merge") + 1);
  });

  test("shows every model's mean share, elements counted", async () => {
    const cell = { layer: 0, column: "q", group: "attention", spread: null, change: null } as const;
    const map: WeightMap = {
      models: ["a", "b"],
      cells: [
        {
          ...cell,
          tensor: "x",
          shape: [3],
          elementCount: 3,
          shares: [1, 0],
          locked: false,
          merged: true,
        },
        {
          ...cell,
          tensor: "y",
          shape: [1],
          elementCount: 1,
          shares: [0, 1],
          locked: false,
          merged: true,
        },
        {
          ...cell,
          tensor: "z",
          shape: [9],
          elementCount: 9,
          shares: null,
          locked: false,
          merged: false,
        },
      ],
      measured: 2,
      total: 2,
      headline: "",
      summary: [],
    };
    expect(await card(three(), VARM, map)).toContain("| a | 75.0 % |\n| b | 25.0 % |");
  });
});
