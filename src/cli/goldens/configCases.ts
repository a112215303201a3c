import * as v from "valibot";
import type { Checkpoint } from "../../engine/checkpoint/checkpoint.ts";
import { namedModels } from "../../engine/contract/index.ts";
import type { Values } from "../../engine/merge/method.ts";
import type { Plan } from "../../engine/merge/plan/outputTensor.ts";
import { planMerge } from "../../engine/merge/plan/plan.ts";
import { requireRunnable } from "../../engine/merge/plan/prepare.ts";
import { parseRecipe } from "../../engine/merge/recipe/parseRecipe.ts";
import { findMethod } from "../../engine/merge/registry.ts";
import { makeModel } from "../../engine/merge/testModels.ts";
import type { Comparison } from "./compare.ts";

/** Output tensor, base, sources by model, and indices into `param_sets`: global, per model. */
const RowSchema = v.tuple([
  v.string(),
  v.nullable(v.string()),
  v.array(v.tuple([v.string(), v.union([v.string(), v.literal(0)])])),
  v.number(),
  v.number(),
]);
const ConfigCaseSchema = v.object({
  id: v.string(),
  yaml: v.string(),
  error: v.nullish(v.string()),
  num_hidden_layers: v.nullish(v.number()),
  rows: v.optional(v.array(RowSchema), []),
  param_sets: v.optional(v.array(v.record(v.string(), v.unknown())), []),
});
export const ConfigCasesSchema = v.object({
  /** Number of layers of each model, all of them Llamas. */
  models: v.record(v.string(), v.number()),
  cases: v.array(ConfigCaseSchema),
});

export type ConfigCase = v.InferOutput<typeof ConfigCaseSchema>;
export type ConfigCases = v.InferOutput<typeof ConfigCasesSchema>;
type Row = v.InferOutput<typeof RowSchema>;

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";
const PARTS = [
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
const isTied = (model: string) => model.startsWith("tied");

/** A Llama of headers alone. Whatever views call a tensor, its `file` is its own name. */
function makeLlama(name: string, layers: number): Checkpoint {
  const stack = Array.from({ length: layers }, (_, i) =>
    PARTS.map((part) => `model.layers.${i}.${part}.weight`),
  ).flat();
  const head = isTied(name) ? [] : [HEAD];
  const names = [EMBEDDING, ...stack, "model.norm.weight", ...head];
  const tensors = Object.fromEntries(names.map((tensor) => [tensor, ["F32", [4, 4]] as const]));
  const fields = { layers, num_hidden_layers: layers, tied: isTied(name) };
  const model = makeModel(name, tensors, fields);
  const marked = [...model.tensors].map(
    ([own, tensor]) => [own, { ...tensor, file: own }] as const,
  );
  return { ...model, tensors: new Map(marked) };
}

function planCase(yaml: string, models: ConfigCases["models"]): Plan {
  const { recipe } = parseRecipe(yaml);
  const plan = planMerge({
    method: findMethod(recipe.method),
    recipe,
    checkpoints: new Map(
      namedModels(recipe).map((name) => [name, makeLlama(name, models[name] ?? 0)]),
    ),
    shardBytes: 5e9,
    budget: { tileBytes: 2 ** 20, slots: 3 },
  });
  requireRunnable(plan);
  return plan;
}

/** Throws where two values differ, which JSON writes down. */
function same(mine: unknown, theirs: unknown, where: string): void {
  const [a, b] = [JSON.stringify(mine), JSON.stringify(theirs)];
  if (a !== b) throw new Error(`${where}: ${a} and not ${b}`);
}

/** Largest difference of the numbers that mergekit states too, flags as numbers. */
function compareParameters(mine: Values, theirs: Readonly<Record<string, unknown>>): number {
  const known = Object.entries(mine).filter(([name]) => theirs[name] !== undefined);
  return known.reduce((largest, [name, value]) => {
    // mergekit states nothing of a parameter that is not given.
    if (value === null || theirs[name] === null) return largest;
    return Math.max(largest, Math.abs(Number(value) - Number(theirs[name])));
  }, 0);
}

function compareRow(plan: Plan, row: Row, sets: ConfigCase["param_sets"]): number {
  const [name, base, sources, globals, perModel] = row;
  const { outputs, keys, method } = plan;
  const output = outputs.find((each) => each.name === name)!;
  const counts = method.base === "none";
  const read = sources.filter(([model]) => model !== base || counts);
  same(
    output.present.map((i) => keys[i]),
    read.map(([model]) => model),
    `the models of ${name}`,
  );
  // mergekit too reads a tied model's embedding where others have a head.
  const stored = read.map(([model, own]) =>
    name === HEAD && isTied(model) ? EMBEDDING : own || name,
  );
  same(
    output.models.map(({ file }) => file),
    stored,
    `what ${name} is made of`,
  );
  const own = sets[perModel] as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const differences = output.resolved.models.map((values, i) =>
    compareParameters(values, own[keys[output.present[i]!]!] ?? {}),
  );
  return Math.max(compareParameters(output.resolved.global, sets[globals] ?? {}), ...differences);
}

/**
 * What mergekit plans and then cannot run, since it reads layers that a model does not have, and what
 * it reads as no layers: a range that ends before it begins. Both are refused here.
 */
export function mayRefuse({ yaml, rows }: ConfigCase, models: ConfigCases["models"]): boolean {
  const beyond = rows.some(([name, , sources]) =>
    sources.some(([model, own]) => {
      const layer = /^model\.layers\.(\d+)\./.exec(own || name)?.[1];
      return layer !== undefined && Number(layer) >= (models[model] ?? 0);
    }),
  );
  return beyond || /layer_range:\s*\[[^\]]*-\d/.test(yaml);
}

/**
 * Plans one recipe over made Llamas and holds every output tensor's sources and resolved parameters
 * against mergekit's. The formulas are the same in the same order: not the last bit may differ.
 */
export function runConfigCase(one: ConfigCase, models: ConfigCases["models"]): Comparison {
  const plan = planCase(one.yaml, models);
  const { outputs, configChanges, template } = plan;
  // The order of tensors is the template's with us, the architecture table's with mergekit.
  same(
    outputs.map(({ name }) => name).sort(),
    one.rows.map(([name]) => name).sort(),
    "the tensors",
  );
  const changed = configChanges.fields?.find(({ key }) => key === "num_hidden_layers");
  const layers = changed ? Number(changed.json) : template.config?.layers;
  if (one.num_hidden_layers != null) same(layers, one.num_hidden_layers, "num_hidden_layers");
  const largest = one.rows.reduce(
    (most, row) => Math.max(most, compareRow(plan, row, one.param_sets)),
    0,
  );
  return { passed: largest === 0, maxAbsError: largest, bound: 0 };
}
