import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CheckpointTensor, readTensor } from "../engine/checkpoint/checkpoint.ts";
import type { Engine, Extraction } from "../engine/contract/index.ts";
import { EXTRACTION_DEFAULTS } from "../engine/contract/index.ts";
import { toF32 } from "../engine/core/tensor/convert.ts";
import { dropSample, openTestEngine, runJob } from "../node/engineTestParts.ts";
import { extract } from "./extract.ts";
import { openModel } from "./openModel.ts";

const [BASE, DRAMA] = ["ember-base", "ember-drama"].map((name) =>
  join("public", "samples", name),
) as [string, string];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-extract-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

type Options = Readonly<Record<string, string>>;

/** Runs the command; `stop` is called at every progress, and may abort. */
async function run(
  out: string,
  options: Options,
  {
    models = [BASE, DRAMA],
    stop,
  }: { readonly models?: readonly string[]; readonly stop?: (label: string) => boolean } = {},
): Promise<Extraction> {
  const controller = new AbortController();
  const { json } = await extract.run({
    positionals: [...models, join(root, out)],
    options,
    signal: controller.signal,
    say: () => undefined,
    progress(_, __, label) {
      if (stop?.(label)) controller.abort();
    },
  });
  return json as Extraction;
}

const values = async (tensor: CheckpointTensor) =>
  toF32(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);

async function filesOf(out: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(join(root, out))).sort();
  return new Map(
    await Promise.all(
      names.map(
        async (name) => [name, (await readFile(join(root, out, name))).toString("base64")] as const,
      ),
    ),
  );
}

test("base and factors of full rank are the model, by the adapter's own reading", async () => {
  await run("whole", { rank: "4096", "distribute-scale": "off" });
  const [applied, model] = [
    await openModel(`${BASE}+${join(root, "whole")}`),
    await openModel(DRAMA),
  ];
  let worst = 0;
  for (const [name, tensor] of model.checkpoint.tensors) {
    const got = await values(applied.checkpoint.tensors.get(name)!);
    for (const [i, want] of (await values(tensor)).entries()) {
      // The base is bfloat16, and so is what is read: half a step of it, and float32's rounding.
      worst = Math.max(worst, Math.abs(got[i]! - want) / (2 ** -8 * Math.abs(want) + 1e-5));
    }
  }
  expect(worst).toBeLessThanOrEqual(1);
  await applied.files.close();
  await model.files.close();
});

test("an interrupted extraction goes on, and gives the same files", async () => {
  const options = { rank: "6", energy: "0.4", include: "self_attn,norm" };
  let seen = 0;
  await expect(run("out", options, { stop: () => ++seen > 9 })).rejects.toThrow();
  expect(await readdir(join(root, "out"))).toEqual([".fusestudio"]);
  const labels: string[] = [];
  const told = await run("out", options, { stop: (label) => labels.push(label) < 0 });
  expect(labels[0]).not.toContain("layers.0.self_attn.k_proj"); // that was done
  expect(told.matrices.map(({ rank }) => rank)).toContain(6);
  const [first, again] = [await filesOf("out"), new Map<string, string>()];
  await run(join("second", "out"), options);
  for (const [name, bytes] of await filesOf(join("second", "out"))) again.set(name, bytes);
  expect(first).toEqual(again);
  expect([...first.keys()]).toEqual([
    "README.md",
    "SHA256SUMS",
    "adapter_config.json",
    "adapter_model.safetensors",
    "extraction.json",
  ]);
});

describe("refused", () => {
  test("a model that is its base", async () => {
    const same = run("same", { include: "q_proj" }, { models: [BASE, `${BASE}/.`] });
    await expect(same).rejects.toMatchObject({ code: "usage" });
    expect(await readdir(root)).not.toContain("same");
  });

  test("another architecture, by a tensor's name", async () => {
    const models = [BASE, join("public", "samples", "flint-source")];
    await expect(run("other", {}, { models })).rejects.toMatchObject({ code: "mismatch" });
  });

  test("a choice of names that no matrix has", async () => {
    await expect(run("none", { include: "nothing" })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("in the page's engine", () => {
  let engine: Engine;
  let ids: readonly string[];
  beforeAll(async () => {
    engine = await openTestEngine();
    const made = [];
    for (const name of ["ember-base", "ember-drama"]) {
      made.push(await runJob(engine, { kind: "import", files: await dropSample(name) }));
    }
    ids = made.map(({ result }) => result!.models[0]!);
  });

  test("the job puts an adapter into the library, with its spectra", async () => {
    const [base, model] = ids as [string, string];
    const settings = {
      ...EXTRACTION_DEFAULTS,
      rank: 4,
      include: "layers.2.",
      others: "skip" as const,
    };
    const card = await runJob(engine, {
      kind: "extract",
      base,
      model,
      settings,
      name: "drama-lora",
    });
    expect(card).toMatchObject({ state: "done", failure: null });
    const id = card.result!.models[0]!;
    const made = (await engine.listModels()).find((each) => each.id === id);
    expect(made).toMatchObject({ name: "drama-lora", origin: "extract", state: "complete" });
    const { matrices, whole } = await engine.extraction(id);
    expect(matrices).toHaveLength(7);
    expect(whole).toEqual([]);
    for (const { values: spectrum, energy, kept, stableRank, rank } of matrices) {
      expect(rank).toBe(4);
      const sum = spectrum.reduce((total, value) => total + value * value, 0);
      expect(Math.abs(sum / energy - kept)).toBeLessThanOrEqual(1e-5);
      expect(Math.abs(stableRank - energy / spectrum[0]! ** 2)).toBeLessThanOrEqual(
        1e-4 * stableRank,
      );
    }
    await expect(engine.extraction(base)).rejects.toMatchObject({ code: "missing-file" });
  });
});
