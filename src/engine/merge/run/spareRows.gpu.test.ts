import { afterEach, beforeEach, expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { openCheckpoint } from "../../checkpoint/open.ts";
import type { OutputDType } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { createMemoryTree } from "../../core/memoryTree.ts";
import { createRandom } from "../../core/random.ts";
import { fromF32, toF32 } from "../../core/tensor/convert.ts";
import { GpuProvider } from "../../gpu/device.ts";
import { prepareMerge } from "../plan/prepare.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { checkpointOf, randomValues } from "../testCheckpoints.ts";
import { mergeInto } from "./merge.ts";

const EMBED = "model.embed_tokens.weight";
const WIDTH = 96;
const TOKENS = 70;
const TOKENIZER = JSON.stringify({
  model: { vocab: Object.fromEntries(Array.from({ length: TOKENS }, (_, i) => [`w${i}`, i])) },
});

/** A model whose tokenizer has 70 tokens, with an embedding of as many rows or more. */
function makeModel(name: string, rows: number, dtype: OutputDType): Checkpoint {
  const values = randomValues(rows * WIDTH, createRandom(rows));
  const model = checkpointOf(name, { [EMBED]: { shape: [rows, WIDTH], values, dtype } });
  const source = bytesInMemory(new TextEncoder().encode(TOKENIZER));
  return { ...model, files: new Map([["tokenizer.json", source]]) };
}

let gpuProvider: GpuProvider;
beforeEach(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterEach(async () => (await gpuProvider.get()).destroy());

async function valuesOf(checkpoint: Checkpoint): Promise<Float32Array> {
  const { dtype, source, start, byteLength } = checkpoint.tensors.get(EMBED)!;
  return toF32(await source.read(start, byteLength), dtype);
}

test.each([
  ["task_arithmetic", "base_model: a", "[{model: b, parameters: {weight: 0.5}}]"],
  ["linear", "", "[{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]"],
])(
  "%s merges the common rows and keeps the spare ones, rounded once",
  async (method, base, models) => {
    const all = { a: makeModel("a", 81, "F32"), b: makeModel("b", TOKENS, "F16") };
    const text = [
      `merge_method: ${method}`,
      base,
      `models: ${models}`,
      "dtype: float32",
      "out_dtype: bfloat16",
    ].join("\n");
    const plan = await prepareMerge(parseRecipe(text).recipe, {
      open: async (name) => all[name as "a" | "b"],
      shardBytes: 5e9,
    });
    const tree = createMemoryTree();
    await mergeInto(plan, tree, gpuProvider, { name: "c", signal: new AbortController().signal });
    const result = await openCheckpoint(tree.files(), "c");

    const [a, b] = [await valuesOf(all.a), await valuesOf(all.b)];
    const wanted = a.map((value, i) => (i < b.length ? value + (b[i]! - value) / 2 : value));
    const got = await valuesOf(result);
    expect(result.tensors.get(EMBED)?.shape).toEqual([81, WIDTH]);
    expect(got.slice(b.length)).toEqual(toF32(fromF32(a.slice(b.length), "BF16"), "BF16"));
    // One step of BF16 is 2⁻⁸ of the value: half of it from rounding, the rest for a tie beside it.
    const worst = wanted.map(
      (value, i) => Math.abs(got[i]! - value) / Math.max(Math.abs(value), 1e-3),
    );
    expect(Math.max(...worst)).toBeLessThanOrEqual(2 ** -8);
  },
);
