import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { useGpu } from "../engine/gpu/testGpu.ts";
import { readRows } from "../engine/runtime/generate/score.ts";
import type { TrainBatch } from "../engine/train/backward/batch.ts";
import { openTrainable } from "../engine/train/backward/openTrainable.ts";
import type { TrainTarget } from "../engine/train/backward/target.ts";
import type { Parameter, TrainableModel } from "../engine/train/backward/trainable.ts";
import { openFiles } from "./files.ts";
import { readFloatTensors } from "./testTensors.ts";

interface Golden {
  readonly model: string;
  readonly target: TrainTarget;
  readonly clm: number;
  readonly fusion: number;
  readonly facts: Readonly<
    Record<string, { readonly total: number; readonly norm: number; readonly largest: number }>
  >;
}

/** Interop runs this file over answers that it made a moment ago. */
const FOLDER = process.env.FUSESTUDIO_GRADIENTS ?? "goldens/train";
const manifest = JSON.parse(readFileSync(`${FOLDER}/manifest.json`, "utf8"));
const cases = Object.entries(manifest.cases as Record<string, Golden>);

/**
 * Both sides sum in float32, in other orders, through two layers and back: 8e-6 of a tensor's largest
 * gradient was measured. A wrong term anywhere costs a thousand times as much.
 */
const BOUND = 3e-5;

/** The batch of the goldens: three documents, prompts, and rows of 0 to 4 tokens. */
function goldenBatch(): TrainBatch {
  const { batch } = manifest;
  const rows = batch.rows as readonly (readonly (readonly [number, number])[])[];
  const starts = [0];
  for (const row of rows) starts.push((starts.at(-1) as number) + row.length);
  return {
    ids: Uint32Array.from(batch.ids),
    documents: batch.documents,
    labels: Uint32Array.from(batch.labels),
    weights: Float32Array.from(batch.weights),
    fused: {
      starts: Uint32Array.from(starts),
      ids: Uint32Array.from(rows.flat(), ([id]) => id),
      probabilities: Float32Array.from(rows.flat(), ([, q]) => q),
    },
    lambda: batch.lambda,
  };
}

const gpu = await useGpu();
const gradients = await readFloatTensors(`${FOLDER}/gradients.safetensors`);

const open = async (folder: string, target: TrainTarget, kernels: "cpu" | "gpu") => {
  const { files, close } = await openFiles(folder);
  const checkpoint = await openCheckpoint(files, folder);
  const model = await openTrainable(gpu, checkpoint, target, { tokens: 33, kernels });
  await close();
  return model;
};

/** The factors that the goldens were made with. */
function fillFactors({ parameters }: TrainableModel): void {
  const byName = parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const [index, { value, count }] of byName.entries()) {
    const values = Float32Array.from(
      { length: count },
      (_, i) => 0.3 * Math.sin(1.7 * i + 3 * index),
    );
    gpu.device.queue.writeBuffer(value, 0, values);
  }
}

const read = (buffer: GPUBuffer, count: number) =>
  readRows(gpu, { buffer, first: 0, rows: 1, rowStride: count }, count);

/** How far a gradient is from the golden, in parts of its tensor's largest element. */
function errorOf(values: Float32Array, name: string, { facts }: Golden, kept: Float32Array) {
  const fact = facts[name];
  if (!fact) throw new Error(`the goldens have no "${name}"`);
  let worst = 0;
  for (const [i, want] of kept.entries()) {
    const at = Math.floor(i * (values.length / kept.length));
    const error = Math.abs((values[at] as number) - want) / fact.largest;
    if (!(error <= worst)) worst = error;
  }
  // Independent errors of that size in every element add up to their root times as much.
  const total = values.reduce((sum, value, i) => sum + value * Math.cos(i), 0);
  const drift = Math.abs(total - fact.total) / (fact.largest * Math.sqrt(values.length));
  return Math.max(drift, worst);
}

async function worstError(
  model: TrainableModel,
  name: string,
  golden: Golden,
): Promise<readonly [number, string]> {
  let worst: readonly [number, string] = [0, ""];
  for (const parameter of model.parameters as readonly Parameter[]) {
    const values = await read(parameter.gradient, parameter.count);
    const kept = gradients.get(`${name}/${parameter.name}`) as Float32Array;
    const error = errorOf(values, parameter.name, golden, kept);
    if (process.env.SHOW_ERRORS === "all") console.log(error.toExponential(1), parameter.name);
    if (!(error <= worst[0])) worst = [error, parameter.name];
  }
  return worst;
}

/** Software adapters take minutes for the GPU's kernels: some cases stand for all there. */
const FOR_GPU = ["llama q,v", "gemma2 all", "gpt2 all", "llama-biases full", "qwen3 full"];

describe.each([
  ["cpu", cases],
  ["gpu", cases.filter(([name]) => FOR_GPU.includes(name))],
] as const)("with the kernels for a %s", (kernels, chosen) => {
  test.each(chosen)("%s: losses and gradients are those of torch", async (name, golden) => {
    const model = await open(golden.model, golden.target, kernels);
    try {
      expect(model.parameters.map((parameter) => parameter.name).toSorted()).toEqual(
        Object.keys(golden.facts).toSorted(),
      );
      if (golden.target.kind === "lora") fillFactors(model);
      const batch = goldenBatch();
      const losses = await model.accumulate(batch, { scale: manifest.scale, step: 0 });
      const [error, where] = await worstError(model, name, golden);
      if (process.env.SHOW_ERRORS) {
        console.log(name, error, where, losses.clm - golden.clm, losses.fusion - golden.fusion);
      }
      expect(error, where).toBeLessThanOrEqual(BOUND);
      // Two parts in a million: sums of some twenty logits' differences, in float32.
      expect(Math.abs(losses.clm / golden.clm - 1)).toBeLessThanOrEqual(2e-6);
      expect(Math.abs(losses.fusion / golden.fusion - 1)).toBeLessThanOrEqual(2e-6);
      expect(losses.tokens).toBe(18.5);
    } finally {
      model.release();
    }
  });
});
