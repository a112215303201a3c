import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { restoreFolder } from "../node/keptFolder.ts";
import { fusechat } from "./fusechat.ts";
import { merge } from "./merge.ts";

/**
 * Outputs that version 0.1.0 left half done. Their keys hold where inputs lie and when they were
 * changed, so they are stated here once more, as that version made them.
 */
const NAMES = ["ember-base", "flint-source", "slate-source"];
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-earlier-"));
  for (const name of NAMES) {
    const filter = (path: string) => !path.endsWith("onnx");
    await cp(join("public", "samples", name), join(root, name), { recursive: true, filter });
  }
  await cp(join("public", "samples", "texts", "tales.jsonl"), join(root, "tales.jsonl"));
});
afterAll(() => rm(root, { recursive: true }));

const hash = (...parts: readonly unknown[]) =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex");

async function describeFiles(place: string, paths: readonly string[]): Promise<string> {
  const files = [];
  for (const path of paths) {
    const { size, mtimeMs } = await stat(join(place, path));
    files.push({ path, size, mtimeMs });
  }
  return JSON.stringify(files);
}
const describeModel = async (name: string) =>
  describeFiles(join(root, name), (await readdir(join(root, name))).sort());

interface Told {
  readonly said: string[];
  readonly labels: string[];
  /** What it ended with, where `stopAt` ended it. */
  stopped?: unknown;
}

/** Runs a command; `stopAt` ends it when its progress first tells such a label. */
async function run(
  command: typeof merge,
  positionals: readonly string[],
  stopAt?: RegExp,
): Promise<Told> {
  const controller = new AbortController();
  const told: Told = { said: [], labels: [] };
  const work = command.run({
    positionals,
    options: {},
    signal: controller.signal,
    say: (line) => void told.said.push(line),
    progress(_done, _total, label) {
      told.labels.push(label);
      if (stopAt?.test(label)) controller.abort();
    },
  });
  await work.catch((error: unknown) => {
    if (!stopAt) throw error;
    told.stopped = error;
  });
  return told;
}

const PIPELINE = `name: kept
pivot: ember-base
sources: [flint-source, slate-source]
data: [tales.jsonl]
fuse: {rows: 2, max_tokens: 32}
train: {steps: 16, batch_tokens: 32, sequence_tokens: 32, rank: 2, modules: [q]}
plain: false
merges: [slerp]
evaluation_tokens: 40
`;
/** That file's settings, as 0.1.0 read and wrote them. */
const REQUEST = {
  name: "kept",
  fusion: {
    topK: 10,
    maxTokens: 32,
    rows: 2,
    fusion: "mince",
    level: "sequence",
    averageBy: "rewards",
    temperature: 1,
    withPivot: true,
    badRows: "skip",
    profile: "studio",
    metric: "byte",
    tail: "bucket",
    bf16: false,
    vocabulary: "bytes",
    matrix: false,
    fallback: "pivot",
  },
  training: {
    mode: "lora",
    modules: ["q"],
    rank: 2,
    alpha: 16,
    rslora: false,
    dropout: 0,
    lambda: 0.9,
    lambdaSchedule: "hard",
    fusionLoss: "ce",
    learningRate: 1e-4,
    schedule: "cosine",
    warmup: 0.03,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    clip: 1,
    steps: 16,
    epochs: 1,
    batchTokens: 32,
    sequenceTokens: 32,
    packing: true,
    seed: 42,
    holdout: 0.1,
    evaluateEvery: 0,
    dtype: null,
  },
  plain: false,
  merges: [{ parameters: { t: 0.5 }, perModel: {}, name: "slerp", method: "slerp" }],
  evaluationTokens: 40,
  kind: "fusechat",
};
/** What 0.1.0 told of the three steps that it had done. */
const LOSSES = [4.581046763192052, 3.894122022705583, 3.882444889992476];

test("a pipeline goes on in the step of the training where 0.1.0 was stopped", async () => {
  const out = join(root, "pipeline");
  const ids = new Map<string, string>();
  for (const name of NAMES) {
    ids.set(name, `${join(root, name)} ${hash(await describeModel(name)).slice(0, 16)}`);
  }
  const data = `${join(root, "tales.jsonl")} ${hash(await describeFiles(root, ["tales.jsonl"])).slice(0, 16)}`;
  const [pivot, ...sources] = [...ids.values()];
  const key = hash({ ...REQUEST, datasets: [data], pivot, sources });
  await restoreFolder("0.1.0-fusechat", out, (text) =>
    text
      .replace(/"pipeline":"[0-9a-f]{64}"/, `"pipeline":"${key}"`)
      .replace(/(pipeline|training)%2F[0-9a-f]{16}/, `$1%2F${key.slice(0, 16)}`)
      .replace(/"[^" ]*\/samples\/([\w-]+) [0-9a-f]{16}"/g, (_, name) => `"${ids.get(name)}"`),
  );
  // A process that was killed left its id, and nothing else, as a lock.
  const { pid } = spawnSync(process.execPath, ["--version"]);
  await writeFile(join(out, ".fusestudio", "lock"), String(pid));
  const file = join(root, "pipeline.yml");
  await writeFile(file, PIPELINE);

  const first = await run(fusechat, [file, out], /slate-source: step 2 of 16/);
  expect(first.said).toContain("Going on where an earlier run stopped.");
  expect(first.stopped).toBeDefined();
  expect(first.labels).toContain("Learn from flint-source: step 4 of 16");
  const again = /reads document|flint-source: step [123] of/;
  expect(first.labels.filter((label) => again.test(label))).toEqual([]);
  const second = await run(fusechat, [file, out]);
  expect(second.said).toContain("Going on where an earlier run stopped.");
  expect(second.labels.filter((label) => /flint-source: step/.test(label))).toEqual([]);
  const report = JSON.parse(await readFile(join(out, "report.json"), "utf8"));
  const [curve] = report.curves;
  expect(curve.points).toHaveLength(16);
  expect(curve.points.slice(0, 3).map(({ loss }: { loss: number }) => loss)).toEqual(LOSSES);
  const made = JSON.parse(await readFile(join(out, "models", "models.json"), "utf8"));
  expect(made.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
    ["kept-flint-source", "complete"],
    ["kept-slate-source", "complete"],
    ["kept-slerp", "complete"],
  ]);
}, 300_000);

const RECIPE = `merge_method: ties
base_model: ember-base
models:
  - {model: ember-drama, parameters: {weight: 0.7, density: 0.5}}
  - {model: ember-tales, parameters: {weight: 0.3, density: 0.5}}
`;
/** SHA-256 of the result's weights, as 0.1.0 computes it: with the papers' profile unsaid. */
const WEIGHTS = "19900ebfb7d472d66e4ab2fb5205c8c1a885527253472b6d5c56d49a62f0ecc2";

async function hashWeights(folder: string): Promise<string> {
  const bytes = await readFile(join(folder, "model.safetensors"));
  const header = Number(bytes.readBigUInt64LE(0));
  return createHash("sha256")
    .update(bytes.subarray(8 + header))
    .digest("hex");
}

test("a merge goes on with the bytes that 0.1.0 wrote, and as it meant its recipe", async () => {
  const models = ["ember-base", "ember-drama", "ember-tales"];
  for (const name of models) {
    await cp(join("public", "samples", name), join(root, name), { recursive: true });
  }
  const file = join(root, "recipe.yml");
  await writeFile(file, RECIPE.replace("models:", "parameters: {profile: paper}\nmodels:"));
  const whole = join(root, "whole");
  await run(merge, [file, whole]);
  expect(await hashWeights(whole)).toBe(WEIGHTS);

  const out = join(root, "merge");
  const path = "model.safetensors";
  const bytes = await readFile(join(whole, path));
  const durableBytes = Math.round(bytes.byteLength / 2);
  const recipe = {
    method: "ties",
    base: "ember-base",
    models: [
      { model: "ember-drama", parameters: { weight: 0.7, density: 0.5 } },
      { model: "ember-tales", parameters: { weight: 0.3, density: 0.5 } },
    ],
    parameters: {},
  };
  const marks: (readonly [string, string])[] = [];
  for (const name of models) marks.push([join(root, name), await describeModel(name)]);
  const key = hash("0.1.0", JSON.stringify([recipe, 5e9, marks]));
  const state = { key, files: { [path]: { byteLength: bytes.byteLength, durableBytes } } };
  const work = join(out, ".fusestudio");
  await mkdir(join(work, "parts"), { recursive: true });
  await writeFile(join(work, "parts", path), bytes.subarray(0, durableBytes));
  await writeFile(join(work, "state.json"), JSON.stringify(state));

  await writeFile(file, RECIPE.replace("0.7", "0.6"));
  await expect(run(merge, [file, out])).rejects.toMatchObject({ code: "permission" });
  await writeFile(file, RECIPE);
  const { said } = await run(merge, [file, out]);
  expect(said).toContainEqual(expect.stringMatching(/^Going on with a merge of version 0\.1\.0/));
  expect(said).toContain("Resuming: 1.2 MB are done.");
  expect(await hashWeights(out)).toBe(WEIGHTS);
}, 120_000);
