import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EngineError, namedModels, type Recipe } from "../engine/contract/index.ts";
import type { Values } from "../engine/merge/method.ts";
import type { Plan } from "../engine/merge/plan/outputTensor.ts";
import { planMerge } from "../engine/merge/plan/plan.ts";
import { parseRecipe } from "../engine/merge/recipe/parseRecipe.ts";
import { findMethod, methods } from "../engine/merge/registry.ts";
import { makeModel } from "../engine/merge/testModels.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

/** Output tensor, base, sources by model, and indices into `param_sets`: global, per model. */
type Row = readonly [
  string,
  string | null,
  readonly (readonly [string, string | 0])[],
  number,
  number,
];
type Params = Readonly<Record<string, unknown>>;
interface Case {
  readonly id: string;
  readonly yaml: string;
  readonly error?: string;
  readonly rows?: readonly Row[];
  readonly param_sets?: readonly Params[];
}
interface Golden {
  readonly models: Readonly<Record<string, number>>;
  readonly cases: readonly Case[];
}

const METHODS = ["linear", "slerp", "task_arithmetic", "ties", "passthrough"].filter((id) =>
  methods.has(id),
);
const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";
/** mergekit 0.1.4 plans these and fails when it runs them; 0.1.5 refuses them, and so do we. */
const REFUSED = ["slerp_two_plus_base", "linear_with_base_per_model_weight"];

const golden: Golden = hasTestData
  ? JSON.parse(readFileSync(testDataPath("goldens", "config_cases.json"), "utf8"))
  : { models: {}, cases: [] };

function isSupported({ yaml }: Case): boolean {
  const method = /(?:^|\n)merge_method: (\S+)/.exec(yaml)?.[1] ?? "";
  return METHODS.includes(method) && !/\ntokenizer/.test(yaml);
}

function makeLlama(name: string, layers: number) {
  const tied = name.startsWith("tied");
  const parts = [
    "input_layernorm",
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "post_attention_layernorm",
    "mlp.up_proj",
    "mlp.gate_proj",
    "mlp.down_proj",
  ];
  const stack = Array.from({ length: layers }, (_, i) =>
    parts.map((part) => `model.layers.${i}.${part}.weight`),
  ).flat();
  const head = tied ? [] : [HEAD];
  const names = [EMBEDDING, ...stack, "model.norm.weight", ...head];
  const tensors = Object.fromEntries(names.map((tensor) => [tensor, ["F32", [4, 4]] as const]));
  const model = makeModel(name, tensors, { layers, tied });
  // Whatever views call a tensor, its file says which it is.
  const marked = [...model.tensors].map(
    ([own, tensor]) => [own, { ...tensor, file: own }] as const,
  );
  return { ...model, tensors: new Map(marked) };
}

function planCase(recipe: Recipe): Plan {
  const make = (name: string) => makeLlama(name, golden.models[name]!);
  return planMerge({
    method: findMethod(recipe.method),
    recipe,
    checkpoints: new Map(namedModels(recipe).map((name) => [name, make(name)])),
    shardBytes: 5e9,
    budget: { tileBytes: 2 ** 20, slots: 3 },
  });
}

/** Only what mergekit states too, numbers for booleans. */
function expectValues(mine: Values, theirs: Params, where: string) {
  for (const [name, value] of Object.entries(mine)) {
    if (name in theirs) {
      // The same formula in the same order: not even the last bit may differ.
      expect(Number(value), `${where} ${name}`).toBe(Number(theirs[name]));
    }
  }
}

function isRefused(yaml: string): boolean {
  try {
    return !planCase(parseRecipe(yaml).recipe).card.runnable;
  } catch (error) {
    return error instanceof EngineError && error.code === "bad-recipe";
  }
}

const supported = golden.cases.filter(isSupported);
const skipped = golden.cases.filter((candidate) => !isSupported(candidate));

describe.skipIf(!hasTestData)("mergekit's resolved plans", () => {
  test("are compared in good number, and the others are named", () => {
    console.log(`${supported.length} cases compared, ${skipped.length} skipped:`);
    console.log(`  ${skipped.map(({ id }) => id).join(", ")}`);
    expect(supported.length).toBeGreaterThanOrEqual(25);
  });

  test.each(supported.map((one) => [one.id, one] as const))("%s", (id, { yaml, ...given }) => {
    if (given.error !== undefined || REFUSED.includes(id)) {
      expect(isRefused(yaml)).toBe(true);
      return;
    }
    const { outputs, keys, recipe, card } = planCase(parseRecipe(yaml).recipe);
    expect(card.runnable).toBe(true);
    const { rows = [], param_sets: sets = [] } = given;
    // The order of tensors is the template's with us, the architecture table's with mergekit.
    expect(outputs.map(({ name }) => name).sort()).toEqual(rows.map(([name]) => name).sort());
    const byName = new Map(outputs.map((output) => [output.name, output]));
    const counts = findMethod(recipe.method).base === "none";
    for (const [name, base, sources, globals, perModel] of rows) {
      const output = byName.get(name)!;
      expect(output.present.map((i) => keys[i])).toEqual(
        sources.map(([model]) => model).filter((model) => model !== base || counts),
      );
      const read = sources.filter(([model]) => model !== base || counts);
      // mergekit too reads a tied model's embedding where others have a head.
      const stored = read.map(([model, own]) =>
        name === HEAD && model.startsWith("tied") ? EMBEDDING : own || name,
      );
      expect(output.models.map(({ file }) => file)).toEqual(stored);
      expectValues(output.resolved.global, sets[globals]!, name);
      for (const [i, values] of output.resolved.models.entries()) {
        const theirs = sets[perModel]![keys[output.present[i]!]!] as Params;
        expectValues(values, theirs, `${name} ${keys[i]}`);
      }
    }
  });
});
