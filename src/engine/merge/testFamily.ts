import { expect } from "vitest";
import { type Checkpoint, readTensor } from "../checkpoint/checkpoint.ts";
import { readHeader } from "../checkpoint/formats/safetensors/header.ts";
import type { OutputDType, Recipe } from "../contract/index.ts";
import { type ByteSource, readAll } from "../core/bytes.ts";
import { createMemoryTree } from "../core/memoryTree.ts";
import { createRandom } from "../core/random.ts";
import { toF64 } from "../core/tensor/convert.ts";
import type { GpuProvider } from "../gpu/device.ts";
import type { MergeMethod } from "./method.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { planMerge } from "./plan/plan.ts";
import { groupUnits } from "./run/decide.ts";
import { runMerge } from "./run/run.ts";
import type { TileLimits } from "./run/session.ts";
import { checkpointOf, randomValues, type TestTensor } from "./testCheckpoints.ts";

/** Matrices, one of odd sizes, and vectors. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "model.embed_tokens.weight": [37, 64],
  "model.layers.0.self_attn.q_proj.weight": [97, 64],
  "model.layers.0.input_layernorm.weight": [64],
  "model.layers.1.self_attn.q_proj.weight": [97, 64],
  "model.layers.1.mlp.up_proj.weight": [5, 3],
  "model.norm.weight": [64],
};

export type Family = ReturnType<typeof makeFamily>;

/** A base and fine-tunes of it; the last norm is equal in all of them. */
export function makeFamily(models: number, dtype: OutputDType, changed = 0.01) {
  const random = createRandom(7);
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

/** A family that counts the bytes that are read of it. */
export function makeCountedFamily(models: number) {
  const read = { bytes: 0 };
  const count = (checkpoint: Checkpoint): Checkpoint => {
    const tensors = [...checkpoint.tensors].map(([name, tensor]) => {
      const { source } = tensor;
      const counted: ByteSource = {
        byteLength: source.byteLength,
        read(start, length) {
          read.bytes += length;
          return source.read(start, length);
        },
      };
      return [name, { ...tensor, source: counted }] as const;
    });
    return { ...checkpoint, tensors: new Map(tensors) };
  };
  const family = makeFamily(models, "F32");
  return { read, family: { base: count(family.base), models: family.models.map(count) } };
}

/** How a test calls a method. */
export interface Asked {
  readonly method: MergeMethod;
  readonly parameters: Recipe["parameters"];
  readonly hasBase: boolean;
}

export function planFamily(
  { method, parameters, hasBase }: Asked,
  { base, models }: Family,
  outDtype: Recipe["outDtype"] = "float32",
): Plan {
  const recipe: Recipe = {
    method: method.id,
    ...(hasBase ? { base: "base" } : {}),
    models: models.map(({ name }) => ({ model: name, parameters: {} })),
    parameters,
    outDtype,
  };
  const plan = planMerge({
    method,
    recipe,
    checkpoints: new Map([base, ...models].map((each) => [each.name, each])),
    shardBytes: 5e9,
    budget: { tileBytes: 2 ** 26, slots: 3 },
  });
  expect(plan.card.findings.filter(({ severity }) => severity === "error")).toEqual([]);
  return plan;
}

/** Merges and reads back the values of each tensor, as stored. */
export async function mergeFamily(
  plan: Plan,
  gpuProvider: GpuProvider,
  limits: TileLimits = {},
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const tree = createMemoryTree();
  await runMerge(plan, tree, gpuProvider, {
    signal: new AbortController().signal,
    sideFiles: async () => new Map(),
    ...limits,
  });
  expect(tree.sealed).toBe(true);
  const file = tree.files().get("model.safetensors")!;
  expect((await readAll(file, 1e9)).byteLength).toBe(plan.shards.files[0]!.byteLength);
  const { tensors } = await readHeader(file, "model.safetensors");
  const result = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const tensor of tensors) {
    result.set(tensor.name, await file.read(tensor.start, tensor.byteLength));
  }
  return result;
}

/** Tensors of a unit with their values, as a method's reference takes them. */
async function readUnit(plan: Plan, unit: Plan["outputs"]) {
  const read = async (tensor: (typeof unit)[number]["models"][number]) =>
    toF64(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);
  return Promise.all(
    unit.map(async ({ name, shape, resolved, base, models, present }) => ({
      name,
      shape,
      resolved,
      keys: present.map((i) => plan.keys[i]!),
      base: base && (await read(base)),
      models: await Promise.all(models.map(read)),
    })),
  );
}

/** Inputs of every merged tensor, in float64. */
export async function readFamily(plan: Plan) {
  const units = await Promise.all(groupUnits(plan).map((unit) => readUnit(plan, unit)));
  return units.flat();
}

/** The method's reference over the whole plan, in float64. */
export async function referenceFamily(plan: Plan): Promise<Map<string, Float64Array>> {
  const result = new Map<string, Float64Array>();
  for (const unit of groupUnits(plan)) {
    const tensors = await readUnit(plan, unit);
    for (const [i, values] of plan.method.reference(tensors).entries()) {
      result.set(tensors[i]!.name, values);
    }
  }
  return result;
}
