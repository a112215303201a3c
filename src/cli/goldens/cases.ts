import { join } from "node:path";
import type { Checkpoint, CheckpointTensor } from "../../engine/checkpoint/checkpoint.ts";
import {
  EngineError,
  namedModels,
  type Recipe,
  type Settings,
} from "../../engine/contract/index.ts";
import type { GpuProvider } from "../../engine/gpu/device.ts";
import { formatRecipe } from "../../engine/merge/recipe/formatRecipe.ts";
import { parseRecipe } from "../../engine/merge/recipe/parseRecipe.ts";
import { findMethod } from "../../engine/merge/registry.ts";
import { bf16Ulp, type Comparison, combine, compareValues } from "./compare.ts";
import type { FolderCase, MethodCase, VarmCase } from "./manifest.ts";
import { mergeInMemory, readValues } from "./mergeInMemory.ts";
import { addLargest, SINCE_0_1_5 } from "./since015.ts";
import { tiedAtTheCut } from "./tiedAtTheCut.ts";

/** What cases need beside themselves. */
export interface Bench {
  readonly gpuProvider: GpuProvider;
  readonly signal: AbortSignal;
  /** A file or folder of the goldens by its path in there, opened once. */
  open(path: string): Promise<Checkpoint>;
}

const TENSOR = "weight";

function findTensor(golden: Checkpoint, name: string): CheckpointTensor {
  const tensor = golden.tensors.get(name);
  if (tensor) return tensor;
  throw new EngineError("missing-tensor", `The goldens have no tensor "${name}".`, {
    tensor: name,
  });
}

/** A checkpoint made of golden tensors under other names; the bytes stay where they are. */
function assemble(
  name: string,
  tensors: readonly (readonly [string, CheckpointTensor])[],
): Checkpoint {
  return {
    name,
    config: null,
    tensors: new Map(tensors.map(([as, tensor]) => [as, { ...tensor, name: as }])),
    files: new Map(),
    weightFiles: [],
    quantised: [],
    notes: [],
  };
}

/** Parameters without those that are null: mergekit's "not given". */
function given(params: Readonly<Record<string, unknown>>): Settings {
  return Object.fromEntries(
    Object.entries(params).filter(([, value]) => value !== null && value !== undefined),
  ) as Settings;
}

/** Through the text and back, so that a case also tests the recipe language. */
function throughText(recipe: Recipe): Recipe {
  return parseRecipe(formatRecipe(recipe)).recipe;
}

/** A case of mergekit's methods: one tensor, `profile: mergekit` where the method has profiles. */
export async function runMethodCase(one: MethodCase, bench: Bench): Promise<Comparison> {
  const golden = await bench.open(one.file);
  const out = !one.tensors.out ? undefined : findTensor(golden, one.tensors.out);
  const draws = one.tensors.uniforms ?? [];
  const inputs = [...one.tensors.models, ...draws];
  const recipe: Recipe = {
    method: one.method,
    ...(!one.tensors.base ? {} : { base: "base" }),
    models: inputs.map((_, i) => ({
      model: `model${i}`,
      // Draws are not weighed; every model has to have a weight all the same.
      parameters: i < one.tensors.models.length ? given(one.model_params[i] ?? {}) : { weight: 0 },
    })),
    parameters: {
      ...given(one.params),
      ...(hasMergekitsProfile(one.method) ? { profile: "mergekit" } : {}),
      ...(draws.length > 0 ? { draws: "recorded" } : {}),
    },
    dtype: "float32",
    ...(out?.dtype === "BF16" ? { outDtype: "bfloat16" as const } : {}),
  };
  const sources = inputs.map((tensor, i) => [`model${i}`, tensor] as const);
  const all = !one.tensors.base ? sources : [["base", one.tensors.base] as const, ...sources];
  const checkpoints = new Map(
    all.map(([name, tensor]) => [name, assemble(name, [[TENSOR, findTensor(golden, tensor)]])]),
  );
  const result = await mergeInMemory(
    throughText(recipe),
    checkpoints,
    bench.gpuProvider,
    bench.signal,
  );
  const got = await readValues(findTensor(result, TENSOR));
  if (one.expect === "unstable") {
    const passed = got.every(Number.isFinite);
    return { passed, maxAbsError: 0, bound: 0 };
  }
  const since = SINCE_0_1_5[one.id];
  if (since !== undefined) {
    const read = (tensor: string) => readValues(findTensor(golden, tensor));
    const base = await read(one.tensors.base!);
    if (since === "base") return compareValues(got, base, () => 0);
    const models = await Promise.all(one.tensors.models.map(read));
    const want = since === "largest" ? addLargest(one, base, models) : Float64Array.from(since);
    // Float32: a difference, a product and a sum for each model, of values below the largest.
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return compareValues(got, want, () => 3 * models.length * 2 ** -24 * largest);
  }
  if (one.expect !== "value" || !out || !one.tolerance) {
    // A refusal was due and none came.
    return { passed: false, maxAbsError: Number.POSITIVE_INFINITY, bound: 0 };
  }
  const stacked = await readValues(out);
  // Where nothing is selected, mergekit's SCE answers with the base once for each model.
  const copies = out.shape.length > result.tensors.get(TENSOR)!.shape.length ? out.shape[0]! : 1;
  const want = stacked.subarray(0, stacked.length / copies);
  const { atol, rtol, max_mismatch_fraction: mayDiffer } = one.tolerance;
  const ignored =
    one.tensors.ambiguous && (await readValues(findTensor(golden, one.tensors.ambiguous)));
  return compareValues(got, want, (i) => atol + rtol * Math.abs(want[i]!), {
    ignored: ignored || undefined,
    mayDiffer,
  });
}

/** Each model's weight at each element, as the released scripts compute it: Σ is held above 1e-13. */
function elementWeights(
  type: string,
  base: Float64Array,
  models: readonly Float64Array[],
): (index: number) => readonly number[] {
  return (i) => {
    const moved = models.map((model) => Math.abs(model[i]! - base[i]!));
    const measured = type === "squre" ? moved.map((delta) => delta * delta) : moved;
    const sum = Math.max(
      1e-13,
      measured.reduce((total, value) => total + value, 0),
    );
    return measured.map((value) => value / sum);
  };
}

/** A case of FuseChat's VaRM, as its released scripts do it. */
export async function runVarmCase(one: VarmCase, bench: Bench): Promise<Comparison> {
  const golden = await bench.open(one.file);
  const pick = (prefix: string) =>
    [...golden.tensors.values()]
      .filter(({ name }) => name.startsWith(prefix))
      .map((tensor) => [tensor.name.slice(prefix.length), tensor] as const);
  const checkpoints = new Map(
    [one.base, ...one.models].map((name) => [name, assemble(name, pick(`${name}/`))]),
  );
  const recipe: Recipe = {
    method: "varm",
    base: one.base,
    models: one.models.map((model) => ({ model, parameters: {} })),
    parameters: {
      profile: "fusechat-v1",
      granularity: one.granularity,
      statistic: one.merge_type,
      normalise: one.use_sfmax ? "softmax" : "sum",
      temperature: one.temp,
      analysis: one.analysis === "same_file_for_all" ? "shared" : "per_model",
      ...(one.excluded_pattern ? { exclude: one.excluded_pattern } : {}),
    },
    dtype: "float32",
    outDtype: "bfloat16",
  };
  const result = await mergeInMemory(
    throughText(recipe),
    checkpoints,
    bench.gpuProvider,
    bench.signal,
  );
  const comparisons: Comparison[] = [];
  for (const [name, tensor] of pick(one.out_prefix)) {
    const [got, want, base, ...models] = await Promise.all([
      readValues(findTensor(result, name)),
      readValues(tensor),
      ...[one.base, ...one.models].map((model) =>
        readValues(findTensor(golden, `${model}/${name}`)),
      ),
    ]);
    const stated = one.weights?.[name] ?? one.weights?.["*"];
    const kept = one.weights && !stated; // excluded: the first model, untouched
    const weightsAt = stated
      ? () => stated
      : kept
        ? () => [0]
        : elementWeights(one.merge_type, base!, models);
    // The manifest's rule: 2 bf16 ulp of the largest term.
    const bound = (i: number) =>
      2 ** -7 * Math.max(...weightsAt(i).map((weight, m) => Math.abs(weight * models[m]![i]!)));
    comparisons.push(compareValues(got!, want!, bound));
  }
  return combine(comparisons);
}

/** Whether the method can do as mergekit does, where it does otherwise by default. */
function hasMergekitsProfile(method: string): boolean {
  const { profile } = findMethod(method).params;
  return profile?.kind === "choice" && profile.options.includes("mergekit");
}

/** mergekit's own ways, by the names that a recipe has for them here: computing in `dtype`. */
function inMergekitsWays(recipe: Recipe): Recipe {
  const { method, parameters } = recipe;
  return {
    ...recipe,
    parameters: {
      ...parameters,
      ...(hasMergekitsProfile(method) ? { profile: "mergekit" } : {}),
    },
  };
}

/** A merge of whole folders, told in YAML. */
export async function runFolderCase(
  one: FolderCase,
  folder: string,
  bench: Bench,
): Promise<Comparison> {
  const recipe = inMergekitsWays(parseRecipe(one.yaml).recipe);
  const checkpoints = new Map<string, Checkpoint>();
  for (const name of namedModels(recipe)) {
    checkpoints.set(name, await bench.open(join(folder, "models", name)));
  }
  const result = await mergeInMemory(
    recipe,
    checkpoints,
    bench.gpuProvider,
    bench.signal,
    one.options?.out_shard_size ?? undefined,
  );
  if (one.error) {
    return { passed: false, maxAbsError: Number.POSITIVE_INFINITY, bound: 0 };
  }
  const wanted = await bench.open(join(folder, one.id.split("/").at(-1) as string));
  const sameNames =
    [...wanted.tensors.keys()].sort().join() === [...result.tensors.keys()].sort().join();
  const sameConfig =
    !one.config ||
    (result.config?.vocabSize === one.config.vocab_size &&
      result.config.tied === one.config.tie_word_embeddings);
  const comparisons: Comparison[] = [{ passed: sameNames && sameConfig, maxAbsError: 0, bound: 0 }];
  for (const want of wanted.tensors.values()) {
    const got = findTensor(result, want.name);
    if (got.dtype !== want.dtype || got.shape.join() !== want.shape.join()) {
      comparisons.push({ passed: false, maxAbsError: Number.POSITIVE_INFINITY, bound: 0 });
      continue;
    }
    const values = await readValues(want);
    const inputs = await Promise.all(
      [...checkpoints.values()].flatMap(({ tensors }) => {
        const input = tensors.get(want.name);
        return input ? [readValues(input)] : [];
      }),
    );
    // The manifest's rule for folders, by the dtype that is written and computed in.
    const bound = (i: number) => {
      if (want.dtype === "F32") return 2e-8 + 2e-6 * Math.abs(values[i]!);
      if (recipe.dtype !== "bfloat16") return bf16Ulp(values[i]!);
      return 2 ** -7 * Math.max(...inputs.map((input) => Math.abs(input[i] ?? 0)));
    };
    const ignored = await tiedAtTheCut(recipe, want.name, checkpoints);
    comparisons.push(compareValues(await readValues(got), values, bound, { ignored }));
  }
  return combine(comparisons);
}
