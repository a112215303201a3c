import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { merge } from "./merge.ts";

let root: string;
const at = (...names: readonly string[]) => join(root, ...names);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "fusestudio-stages-"));
  await cp(join("public", "samples", "ember-base"), at("ember"), { recursive: true });
  await writeFile(at("both.yml"), `${HALF}---\n${STACK}`);
  await writeFile(at("half.yml"), HALF.replace("name: a half\n", ""));
  await writeFile(at("stack.yml"), STACK.replaceAll("a half", "half"));
});
afterAll(() => rm(root, { recursive: true }));

const HALF = `name: a half
merge_method: linear
models: [{model: ember}]
parameters: {weight: 0.5, normalize: false}
`;
const STACK = `merge_method: linear
slices:
- sources: [{model: ember, layer_range: [0, 2]}]
- sources: [{model: a half, layer_range: [0, 1]}, {model: ember, layer_range: [1, 2]}]
parameters: {weight: 1}
`;

/** Merges in the terminal; `stopAt` ends it when its progress first tells such a label. */
async function run(
  recipe: string,
  out: string,
  { stopAt, ...options }: { readonly stopAt?: RegExp; readonly "keep-stages"?: string } = {},
) {
  const controller = new AbortController();
  const labels: string[] = [];
  const work = merge.run({
    positionals: [at(recipe), at(out)],
    options,
    signal: controller.signal,
    say: () => undefined,
    progress(_done, _total, label) {
      labels.push(label);
      if (stopAt?.test(label)) controller.abort();
    },
  });
  await work.catch((error: unknown) => {
    if (!stopAt) throw error;
  });
  return labels;
}

const weightsOf = (folder: string) => readFile(at(folder, "model.safetensors"));
const exists = (path: string) => stat(path).then(Boolean, () => false);

describe("a recipe of two documents", () => {
  test("gives the bytes of two recipes run one after the other, and leaves no scratch", async () => {
    await run("half.yml", "half");
    await run("stack.yml", "apart");
    await run("both.yml", "together");
    expect(await weightsOf("together")).toEqual(await weightsOf("apart"));
    expect(await exists(at("together", ".fusestudio"))).toBe(false);
    const written = JSON.parse(await readFile(at("together", "recipe.json"), "utf8"));
    expect(written.recipe.stages[0].name).toBe("a half");
    const config = JSON.parse(await readFile(at("together", "config.json"), "utf8"));
    expect(config.num_hidden_layers).toBe(3);
  });

  test("keeps its stages where that is asked for", async () => {
    await run("both.yml", "kept", { "keep-stages": at("stages") });
    expect(await readdir(at("stages"))).toEqual(["a%20half"]);
    expect(await weightsOf(join("stages", "a%20half"))).toEqual(await weightsOf("half"));
  });

  test("goes on where it was stopped, with the stages that were made", async () => {
    await run("both.yml", "resumed", { stopAt: /^model\.layers\.2\./ });
    expect(await exists(at("resumed", "model.safetensors"))).toBe(false);
    const scratch = at("resumed", ".fusestudio", "stages", "a%20half", "model.safetensors");
    const made = (await stat(scratch)).mtimeMs;
    const labels = await run("both.yml", "resumed", { stopAt: /^never$/ });
    expect(labels.filter((label) => label.startsWith("a half"))).toEqual([]);
    expect(made).toBeGreaterThan(0);
    expect(await weightsOf("resumed")).toEqual(await weightsOf("together"));
  });

  test("goes on within a stage that was stopped", async () => {
    await run("both.yml", "within", { stopAt: /^a half: model\.layers\.1\./ });
    expect(await exists(at("within", ".fusestudio", "stages", "a%20half"))).toBe(true);
    await run("both.yml", "within");
    expect(await weightsOf("within")).toEqual(await weightsOf("together"));
  });

  test("does not take a folder of other contents for a stage", async () => {
    await cp(at("ember"), at("foreign", "a%20half"), { recursive: true });
    const refused = run("both.yml", "other", { "keep-stages": at("foreign") });
    await expect(refused).rejects.toMatchObject({ code: "permission" });
  });
});
