import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasTestData, testDataPath } from "../node/testdata.ts";
import type { Command } from "./command.ts";
import { inspect } from "./inspect.ts";
import { merge } from "./merge.ts";
import { verify } from "./verify.ts";
import { weights } from "./weights.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function call(command: Command, positionals: readonly string[], options = {}) {
  const { signal } = new AbortController();
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  return command.run({ positionals, options, signal, say, progress: () => undefined });
}

const SAMPLES = join(import.meta.dirname, "../../public/samples");
const sample = (name: string) => JSON.stringify(join(SAMPLES, name));

async function recipeFile(text: string): Promise<string> {
  const path = join(folder, "recipe.yml");
  await writeFile(path, text);
  return path;
}

const LINEAR = `merge_method: linear
models:
  - {model: ${sample("ember-tales")}, parameters: {weight: 3}}
  - {model: ${sample("ember-maths")}, parameters: {weight: 1}}
`;

describe("input is refused before a GPU is looked for", () => {
  test("a recipe that is not there is a missing file", async () => {
    const path = join(folder, "none.yml");
    await expect(call(merge, [path, "out"])).rejects.toMatchObject({ code: "missing-file" });
  });

  test("a Hub id is a missing file, with the command that downloads it", async () => {
    const path = await recipeFile(
      "merge_method: linear\nmodels: [{model: org/name-7b, parameters: {weight: 1}}]\n",
    );
    await expect(call(weights, [path])).rejects.toMatchObject({
      code: "missing-file",
      message: expect.stringContaining("hf download org/name-7b --local-dir"),
    });
  });

  test("a folder that is not ours is not written to", async () => {
    const path = await recipeFile(LINEAR);
    await expect(call(merge, [path, folder])).rejects.toMatchObject({ code: "permission" });
    expect(readdirSync(folder)).toEqual(["recipe.yml"]);
  });

  test("a folder without goldens is a missing file", async () => {
    await expect(call(verify, [folder])).rejects.toMatchObject({ code: "missing-file" });
  });

  test("a shard size of nothing is wrong usage", async () => {
    const path = await recipeFile(LINEAR);
    const wrong = call(merge, [path, join(folder, "out")], { "shard-size": "0" });
    await expect(wrong).rejects.toMatchObject({ code: "usage" });
  });
});

describe("what a recipe says without effect", () => {
  const stray = `${LINEAR}normalise: true\nparameters: {nromalize: true}\n`;

  test("is said with its line", async () => {
    const said: string[] = [];
    const { signal } = new AbortController();
    const say = (line: string) => said.push(line);
    const positionals = [await recipeFile(stray)];
    await weights.run({ positionals, options: {}, signal, say, progress: () => undefined });
    expect(said.filter((line) => line.includes("line"))).toEqual([
      expect.stringMatching(/^warning: line 5: mergekit ignores the key "normalise"/),
      expect.stringMatching(/^warning: line 6: .*"nromalize".*Did you mean "normalize"\?$/),
    ]);
  });

  test("is refused with --strict", async () => {
    const path = await recipeFile(stray);
    const strict = call(merge, [path, join(folder, "out")], { strict: "" });
    await expect(strict).rejects.toMatchObject({
      code: "bad-recipe",
      details: { line: 5, ignored: 2 },
    });
  });
});

test("shares that need no measuring are told without a GPU", async () => {
  const { json } = await call(weights, [await recipeFile(LINEAR)]);
  const { tensors } = json as { tensors: Record<string, Record<string, number>> };
  const [first] = Object.values(tensors);
  expect(Object.values(first ?? {})).toEqual([0.75, 0.25]);
  expect(Object.keys(tensors)).toHaveLength(56);
});

test("a checkpoint against itself has not moved", async () => {
  const path = join(SAMPLES, "ember-base");
  const { json } = await call(inspect, [path], { against: path });
  const { tensors } = json as { tensors: Record<string, Record<string, unknown>> };
  for (const row of Object.values(tensors)) {
    expect(row).toMatchObject({ deltaL2: 0, relative: 0, signFlips: 0, maxAbsDelta: 0, nan: 0 });
    expect(Math.abs((row.cosine as number) - 1)).toBeLessThanOrEqual(1e-15);
  }
});

describe.skipIf(!hasTestData)("hostile files", () => {
  const FOLDER = "zoo/fixtures/safetensors_hostile";
  const files = hasTestData ? readdirSync(testDataPath(FOLDER)) : [];

  test.each(files)("%s is refused by inspect, and not as our own fault", async (file) => {
    const failure = await call(inspect, [testDataPath(FOLDER, file)]).catch((error) => error);
    expect(["bad-header", "bad-offsets", "bad-shape", "bad-dtype", "truncated"]).toContain(
      failure.code,
    );
  });
});
