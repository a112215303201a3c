import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasTestData, testDataPath } from "../node/testdata.ts";
import { merge } from "./merge.ts";
import { verify } from "./verify.ts";

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cases: readonly { readonly method: string; readonly passed: boolean }[];
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function call(
  positionals: readonly string[],
  signal = new AbortController().signal,
  onProgress = () => {},
) {
  return { positionals, options: {}, signal, say: () => undefined, progress: onProgress };
}

describe.skipIf(!hasTestData)("goldens", () => {
  test("every case of every method that is built passes", async () => {
    const { json, failed } = await verify.run(call([testDataPath("goldens")]));
    const report = json as Report;
    expect(report.cases.filter(({ passed }) => !passed)).toEqual([]);
    expect(failed).toBe(false);
    const found = new Set(report.cases.map(({ method }) => method));
    const span = ["slerp", "nuslerp", "multislerp", "karcher", "model_stock"];
    for (const method of [...span, "linear", "task_arithmetic", "varm", "e2e", "alignment"]) {
      expect(found).toContain(method);
    }
    expect(report.passed).toBeGreaterThanOrEqual(425);
  });

  test("a golden that says something else is a failure", async () => {
    await cp(testDataPath("goldens", "linear.safetensors"), join(folder, "linear.safetensors"));
    const text = await readFile(testDataPath("goldens", "manifest.json"), "utf8");
    const manifest = JSON.parse(text.replaceAll("NaN", "null"));
    const one = manifest.cases.find(({ id }: { id: string }) => id === "linear/nonorm_m4");
    one.model_params[0].weight += 0.01;
    await writeFile(join(folder, "manifest.json"), JSON.stringify({ cases: [one] }));
    const { json, failed } = await verify.run(call([folder]));
    expect(json).toMatchObject({ passed: 0, failed: 1 });
    expect(failed).toBe(true);
  });
});

test("an interrupted merge resumes in its own folder and ends with the same bytes", async () => {
  const sample = (name: string) =>
    JSON.stringify(join(import.meta.dirname, "../../public/samples", name));
  const recipe = join(folder, "recipe.yml");
  await writeFile(
    recipe,
    `merge_method: varm
base_model: ${sample("ember-base")}
models: [{model: ${sample("ember-tales")}}, {model: ${sample("ember-drama")}}]
`,
  );
  const whole = join(folder, "whole");
  let steps = 0;
  const count = () => void ++steps;
  await merge.run(call([recipe, whole], undefined, count));
  const stepsOfWhole = steps;

  const cut = join(folder, "cut");
  const controller = new AbortController();
  let calls = 0;
  // The first 54 are tensors being measured; then the writing has begun.
  const interrupt = () => {
    if (++calls === 70) controller.abort();
  };
  await expect(merge.run(call([recipe, cut], controller.signal, interrupt))).rejects.toThrow();
  expect(await readdir(cut)).toEqual([".fusestudio"]);

  steps = 0;
  const { json } = await merge.run(call([recipe, cut], undefined, count));
  expect(stepsOfWhole - steps).toBeGreaterThanOrEqual(54); // nothing is measured twice
  const { bytesWritten } = json as { readonly bytesWritten: number };
  const [one, other] = await Promise.all(
    [whole, cut].map((out) => readFile(join(out, "model.safetensors"))),
  );
  expect(one?.equals(other as Buffer)).toBe(true);
  expect(bytesWritten).toBeLessThan(one?.byteLength ?? 0);
  expect((await readdir(cut)).sort()).toEqual((await readdir(whole)).sort());
});
