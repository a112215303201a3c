import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTensor } from "../checkpoint/checkpoint.ts";
import { readHeader } from "../checkpoint/formats/safetensors/header.ts";
import type { OutputDType, Recipe } from "../contract/index.ts";
import { readAll } from "../core/bytes.ts";
import { createMemoryTree } from "../core/memoryTree.ts";
import { toF64 } from "../core/tensor/convert.ts";
import { GpuProvider } from "../gpu/device.ts";
import { BLOCK_ELEMENTS } from "../gpu/tiles/tiling.ts";
import { methodCard } from "./method.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { planMerge } from "./plan/plan.ts";
import { methods } from "./registry.ts";
import { decideAll, groupUnits } from "./run/decide.ts";
import { measure } from "./run/measure.ts";
import { runMerge } from "./run/run.ts";
import { checkpointOf, randomValues, seededRandom, type TestTensor } from "./testCheckpoints.ts";

const sceProfile = (profile: string) => ({ select_topk: 0.6, profile });

/** What a method must be asked in order to run at all, and every path through it worth walking. */
const SETTINGS: Readonly<Record<string, readonly Recipe["parameters"][]>> = {
  linear: [{ weight: 0.6 }, { weight: 0.6, normalize: false }],
  task_arithmetic: [
    { weight: 0.4 },
    { weight: 0.4, normalize: true, lambda: 0.7 },
    { weight: 0.4, arithmetic: "bfloat16" },
  ],
  ties: [
    { weight: 0.4, density: 0.3 },
    { weight: [0.2, 0.9], density: 0.7, rescale: true, lambda: 0.8, normalize: false },
    { weight: [0.2, -0.9], density: 0.3, profile: "paper" },
    // Keeps one element of the small tensors with mergekit, and none with the paper.
    { weight: 0.4, density: 0.001 },
    { weight: 0.4, density: 0.001, profile: "paper" },
    { weight: 0.4, density: 0.3, rescale: [{ filter: "q_proj", value: true }, { value: false }] },
  ],
  dare_linear: [
    { weight: 0.4, density: 0.3, profile: "paper" },
    { weight: 0.4, density: 0.3, profile: "mergekit", normalize: true },
    {
      weight: 0.4,
      density: 0.3,
      profile: "mergekit",
      rescale: [{ filter: "q_proj", value: false }, { value: true }],
    },
  ],
  dare_ties: [
    { weight: 0.4, density: 0.5, seed: 7, profile: "paper" },
    // Not by weighed votes: three changes that cancel exactly leave a sum of rounding as their vote.
    { weight: 0.4, density: 0.5, rescale: false, normalize: true, profile: "paper" },
  ],
  sce: [{}, { select_topk: 0.3 }, ...["fusechat-v2", "paper"].map(sceProfile)],
  slerp: [{ t: 0.3 }, { t: [0, 1] }],
  varm: [
    ...["model", "layer", "module", "matrix", "parameter"].map((granularity) => ({ granularity })),
    { statistic: "abs" },
    { statistic: "signed" },
    { normalise: "softmax", temperature: 1e-4 },
    { granularity: "parameter", statistic: "abs", normalise: "softmax", temperature: 0.01 },
    { zero_rule: "equal", exclude: ["norm"] },
    { share: [{ filter: "q_proj", value: 0.5 }] },
  ],
};
const CASES = [...methods.keys()].flatMap((id) =>
  (SETTINGS[id] ?? [{}]).map((parameters) => ({
    id,
    parameters,
    label: JSON.stringify(parameters),
  })),
);

let gpuProvider: GpuProvider;
beforeAll(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterAll(async () => (await gpuProvider.get()).destroy());

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "model.embed_tokens.weight": [37, 64],
  "model.layers.0.self_attn.q_proj.weight": [97, 64],
  "model.layers.0.input_layernorm.weight": [64],
  "model.layers.1.self_attn.q_proj.weight": [97, 64],
  "model.layers.1.mlp.up_proj.weight": [5, 3],
  "model.norm.weight": [64],
};

/** A base and fine-tunes of it; the last norm is the same in all. */
function family(models: number, dtype: OutputDType, changed = 0.01) {
  const random = seededRandom(7);
  const make = (values: (shape: readonly number[], name: string) => Float32Array<ArrayBuffer>) =>
    Object.fromEntries(
      Object.entries(SHAPES).map(([name, shape]): [string, TestTensor] => [
        name,
        { shape, dtype, values: values(shape, name) },
      ]),
    );
  const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const base = make((shape) => randomValues(count(shape), random));
  const tuned = Array.from({ length: models }, () =>
    make((_, name) => {
      const start = base[name]!.values;
      const change = randomValues(start.length, random, name === "model.norm.weight" ? 0 : changed);
      return start.map((value, i) => value + change[i]!);
    }),
  );
  return {
    base: checkpointOf("base", base),
    models: tuned.map((tensors, i) => checkpointOf(`tuned-${i}`, tensors)),
  };
}

function planOf(
  id: string,
  parameters: Recipe["parameters"],
  { base, models }: ReturnType<typeof family>,
  outDtype: Recipe["outDtype"] = "float32",
): Plan {
  const method = methods.get(id)!;
  const recipe: Recipe = {
    method: id,
    ...(method.base === "none" ? {} : { base: "base" }),
    models: models.map(({ name }) => ({ model: name, parameters: {} })),
    parameters,
    outDtype,
  };
  const plan = planMerge({
    method,
    recipe,
    base: method.base === "none" ? null : base,
    models,
    shardBytes: 5e9,
    budget: { tileBytes: 2 ** 26, slots: 3 },
  });
  expect(plan.card.findings.filter(({ severity }) => severity === "error")).toEqual([]);
  return plan;
}

/** Merges and reads back: values per tensor, as stored. */
async function merge(plan: Plan, tileElements?: number): Promise<Map<string, Uint8Array>> {
  const signal = new AbortController().signal;
  const tile = tileElements === undefined ? {} : { tileElements };
  const facts = await measure(plan, gpuProvider, { signal, ...tile });
  const tree = createMemoryTree();
  await runMerge(plan, decideAll(plan, facts), tree, gpuProvider, {
    signal,
    sideFiles: new Map(),
    ...tile,
  });
  expect(tree.sealed).toBe(true);
  const file = tree.files().get("model.safetensors")!;
  expect((await readAll(file, 1e9)).byteLength).toBe(plan.shards.files[0]!.byteLength);
  const { tensors } = await readHeader(file, "model.safetensors");
  const result = new Map<string, Uint8Array>();
  for (const tensor of tensors) {
    result.set(tensor.name, await file.read(tensor.start, tensor.byteLength));
  }
  return result;
}

/** The method's own reference over the plan, in float64. */
async function reference(plan: Plan): Promise<Map<string, Float64Array>> {
  const result = new Map<string, Float64Array>();
  for (const unit of groupUnits(plan)) {
    const read = async (tensor: (typeof unit)[number]["models"][number]) =>
      toF64(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);
    const tensors = await Promise.all(
      unit.map(async ({ name, resolved, base, models, present }) => ({
        name,
        resolved,
        keys: present.map((i) => plan.keys[i]!),
        base: base && (await read(base)),
        models: await Promise.all(models.map(read)),
      })),
    );
    plan.method.reference(tensors).forEach((values, i) => {
      result.set(tensors[i]!.name, values);
    });
  }
  return result;
}

/**
 * 12 roundings of half an ulp each at the largest magnitude that occurs (a product, a difference and
 * a sum for each of three models, the share's own rounding), and the shares' error: block sums are
 * good to 1e-6, which moves a result by 1e-6 of a change. Divisions and exp on the GPU are good to a
 * few ulp (WGSL 15.7.4).
 */
const boundFor = (largest: number) => (12 / 2 + 8) * 2 ** -24 * largest + 1e-6 * 0.02;

describe.each(CASES)("$id $label", ({ id, parameters }) => {
  const count = Math.min(3, methods.get(id)!.models.max);

  test.each(["F32", "BF16", "F16"] as const)("agrees with its reference on %s", async (dtype) => {
    const plan = planOf(id, parameters, family(count, dtype));
    const merged = await merge(plan);
    const expected = await reference(plan);
    expect(expected.size).toBeGreaterThan(0);
    for (const [name, values] of expected) {
      const got = toF64(merged.get(name)!, "F32");
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = values.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
      expect(error <= boundFor(largest), `${name}: off by ${error}`).toBe(true);
    }
  });

  test("gives the same bits however it is cut into tiles", async () => {
    const plan = planOf(id, parameters, family(count, "BF16"), "bfloat16");
    const whole = await merge(plan);
    expect(await merge(plan, BLOCK_ELEMENTS)).toEqual(whole);
    expect(await merge(plan, 3 * BLOCK_ELEMENTS)).toEqual(whole);
  });

  test("models equal to the base give the base back, bit for bit", async () => {
    const { base, models } = family(count, "BF16", 0);
    const equalSum = id === "linear" ? { normalize: true } : {};
    const plan = planOf(id, { ...parameters, ...equalSum }, { base, models }, "bfloat16");
    for (const [name, bytes] of await merge(plan)) {
      const tensor = base.tensors.get(name)!;
      // Whatever float32 loses on the way is far below half a step of bf16.
      expect(bytes, name).toEqual(await readTensor(tensor, 0, tensor.byteLength));
    }
  });
});

describe.each([...methods])("%s", (_, method) => {
  test("does not depend on the order of the models, unless it says so", async () => {
    if (!method.symmetric) {
      expect(method.models.max).toBe(1);
      return;
    }
    const { base, models } = family(3, "F32");
    const settings = SETTINGS[method.id]?.[0] ?? {};
    const forwards = await merge(planOf(method.id, settings, { base, models }));
    const backwards = await merge(
      planOf(method.id, settings, { base, models: models.toReversed() }),
    );
    for (const [name, bytes] of forwards) {
      const [a, b] = [toF64(bytes, "F32"), toF64(backwards.get(name)!, "F32")];
      const error = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
      expect(error <= boundFor(0.08), `${name}: off by ${error}`).toBe(true);
    }
  });

  test("has a complete card", () => {
    const card = methodCard(method);
    expect(card.summary).toMatch(/^[A-Z].*\.$/);
    expect(card.paper.url).toMatch(/^https:\/\//);
    for (const param of card.params) {
      expect(param.help, param.name).toMatch(/^\S.*\.$/);
      if (param.kind === "number") expect(param.max).toBeGreaterThan(param.min);
      if (param.kind === "choice") expect(param.options).toContain(param.default);
    }
  });
});
