import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Download, Page } from "playwright/test";
import { parse } from "yaml";
import { expect, test } from "./browser.ts";
import { readTensors, sha256, varmShares } from "./checkpoints.ts";
import {
  goTo,
  mergeInTerminal,
  openStudio,
  readPrivateFolder,
  SAMPLE_NAMES,
  SAMPLES,
  standInForPicker,
  takePickerAway,
  trySamples,
} from "./studio.ts";

const samples = SAMPLE_NAMES.map((name) => join(SAMPLES, name));

function sampleShares(tensor: string): readonly number[] {
  const [base, ...targets] = samples.map((folder) => {
    const found = readTensors(readFileSync(join(folder, "model.safetensors"))).get(tensor);
    if (!found) throw new Error(`${folder} has no ${tensor}`);
    return found;
  });
  if (!base) throw new Error("there are no samples");
  return varmShares(base, targets);
}

/** Asserts that a cell of the map says what Node computes; three decimals are half a thousandth. */
async function expectCell(page: Page, place: string, tensor: string): Promise<void> {
  const cell = page.getByRole("gridcell", { name: `${place}:` });
  await expect(cell).toHaveCount(1);
  const label = (await cell.getAttribute("aria-label")) ?? "";
  const said = [...label.matchAll(/(tales|drama|maths) (\d\.\d{3})/g)].map(([, , share]) =>
    Number(share),
  );
  const wanted = sampleShares(tensor);
  expect(said, label).toHaveLength(3);
  for (const [index, share] of wanted.entries()) {
    expect(
      Math.abs((said[index] ?? Number.NaN) - share),
      `${label}; ${wanted}`,
    ).toBeLessThanOrEqual(0.0005 + 1e-6);
  }
}

/** Asserts that the files are the merged samples, as a Hugging Face folder. */
function expectFolder(files: ReadonlyMap<string, Buffer>): void {
  const text = (name: string) => files.get(name)?.toString("utf8") ?? "";
  const sums = text("SHA256SUMS").trim().split("\n");
  expect(sums).toHaveLength(files.size - 1);
  for (const line of sums) {
    const [sum, name = ""] = line.split("  ");
    expect(sha256(files.get(name) ?? ""), name).toBe(sum);
  }
  for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) {
    const own = readFileSync(join(SAMPLES, "ember-base", name));
    expect(files.get(name)?.equals(own), `${name} is the base's, byte for byte`).toBe(true);
  }
  expect(JSON.parse(text("config.json"))).toEqual(
    JSON.parse(readFileSync(join(SAMPLES, "ember-base", "config.json"), "utf8")),
  );
  const { recipe } = JSON.parse(text("recipe.json"));
  expect(recipe).toMatchObject({ method: "varm", base: "ember-base" });
  const [, front = ""] = text("README.md").split(/^---$/m);
  expect(parse(front)).toMatchObject({
    base_model: [...SAMPLE_NAMES],
    base_model_relation: "merge",
    library_name: "transformers",
  });
  const own = readTensors(files.get("model.safetensors") ?? Buffer.alloc(0));
  const base = readTensors(readFileSync(join(SAMPLES, "ember-base", "model.safetensors")));
  expect([...own.keys()].sort()).toEqual([...base.keys()].sort());
  for (const [name, { dtype, shape }] of own) {
    expect({ dtype, shape }, name).toEqual({
      dtype: base.get(name)?.dtype,
      shape: base.get(name)?.shape,
    });
  }
}

test("the samples merge, the map tells the shares, and the exported folder is the terminal's", async ({
  page,
  folder,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  await trySamples(page);

  const grid = page.getByRole("grid", { name: "Merge weights by layer and matrix" });
  await expect(grid.getByRole("gridcell")).toHaveCount(56);
  await expect(grid.getByRole("gridcell", { name: "not measured yet" })).toHaveCount(0);
  await expectCell(page, "Layer 0 · q", "model.layers.0.self_attn.q_proj.weight");
  await expectCell(page, "Layer 3 · down", "model.layers.3.mlp.down_proj.weight");
  await expectCell(page, "embed", "model.embed_tokens.weight");

  const recipe = await page.getByRole("textbox", { name: "Recipe as YAML" }).inputValue();
  await page.getByRole("button", { name: "Export…" }).click();
  await expect(page.getByText("ready for transformers")).toBeVisible();
  const files = await readPrivateFolder(page, "picked/ember-varm");
  expectFolder(files);

  mkdirSync(join(folder, "terminal"));
  const out = await mergeInTerminal(join(folder, "terminal"), recipe, samples);
  expect([...files.keys()].sort()).toEqual(readdirSync(out).sort());
  const merged = readFileSync(join(out, "model.safetensors"));
  expect(sha256(files.get("model.safetensors") ?? "")).toBe(sha256(merged));

  await goTo(page, "Library");
  await expect(page.getByRole("list", { name: "Models" }).getByRole("listitem")).toHaveCount(5);
});

test("without a folder picker every file comes as a download, and nothing is left behind", async ({
  page,
}) => {
  await takePickerAway(page);
  await openStudio(page);
  await trySamples(page);
  const arrived: Download[] = [];
  page.on("download", (download) => arrived.push(download));
  await page.getByRole("button", { name: "Export…" }).click();
  const dialog = page.getByRole("dialog", { name: "Export ember-varm" });
  await expect(dialog.getByRole("listitem")).toHaveCount(8);
  await dialog.getByRole("button", { name: "Save all 8" }).click();
  await expect.poll(() => arrived.length, { timeout: 30_000 }).toBe(8);
  const files = await Promise.all(
    arrived.map(
      async (download) =>
        [download.suggestedFilename(), readFileSync(await download.path())] as const,
    ),
  );
  expectFolder(new Map(files));
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(dialog).toBeHidden();
  await expect(async () => {
    expect((await readPrivateFolder(page, "exports")).size).toBe(0);
  }).toPass({ timeout: 20_000 });
});
