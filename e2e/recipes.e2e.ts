import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright/test";
import { parse } from "yaml";
import { expectAccessible, inBothThemes, tabTo } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { readTensors, valuesOf } from "./checkpoints.ts";
import { takePictures } from "./pictures.ts";
import {
  dropOnWindow,
  expectStored,
  exportMerged,
  goTo,
  modelRow,
  openStudio,
  SAMPLES,
  standInForPicker,
  waitForMerge,
} from "./studio.ts";
import { readWithTransformers } from "./transformers.ts";
import { writeAdapter, writeWithTokens } from "./variants.ts";

const sample = (name: string) => join(SAMPLES, name);
const yaml = (page: Page) => page.getByRole("textbox", { name: "Recipe as YAML" });
const readModel = (path: string) => readTensors(readFileSync(join(path, "model.safetensors")));

/** Chooses an entry of a menu or a list by the keyboard. */
async function choose(page: Page, opener: string, entry: string | RegExp): Promise<void> {
  await tabTo(page, page.getByRole("button", { name: opener, exact: true }));
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: entry, exact: true }).press("Enter");
}

async function mergeByKeyboard(page: Page): Promise<void> {
  const merge = page.getByRole("button", { name: "Merge", exact: true });
  await expect(merge).toBeEnabled();
  await tabTo(page, merge);
  await page.keyboard.press("Enter");
  await waitForMerge(page);
}

test("an adapter waits for its base, is paired with it, and is merged by the keyboard", async ({
  page,
  folder,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  const modules = [0, 5].flatMap((layer) => [
    [`model.layers.${layer}.self_attn.q_proj`, 128, 128] as const,
    [`model.layers.${layer}.mlp.down_proj`, 128, 344] as const,
  ]);
  const shape = { rank: 4, alpha: 8 };
  const adapter = writeAdapter(folder, "kiwi", "acme/ember-base", shape, modules);
  await dropOnWindow(page, [adapter.path]);
  await expectStored(page, "kiwi");
  const row = modelRow(page, "kiwi");
  await expect(row).toContainText("Waits for its base: drop the folder of ember-base");
  await takePictures(page, "adapter-alone", row);

  await dropOnWindow(page, [sample("ember-base"), sample("ember-tales")]);
  await expectStored(page, "ember-tales");
  await expect(row).toContainText("LoRA of rank 4 on 4 modules");
  await expect(row).toContainText("can be chosen as ember-base+kiwi");
  await takePictures(page, "adapter-paired", row);
  await inBothThemes(page, (theme) => expectAccessible(page, `Library, an adapter, ${theme}`));

  await goTo(page, "Merge");
  await choose(page, "Change the method", /^Linear\b.*with one weight each/);
  const add = "Add a model, or drop a folder anywhere";
  await choose(page, add, "ember-base+kiwi");
  await choose(page, add, "ember-tales");
  await expect(yaml(page)).toHaveValue(/- model: ember-base\+kiwi\n[\s\S]*- model: ember-tales\n/);
  await mergeByKeyboard(page);
  const { models } = parse(await yaml(page).inputValue());
  const [first, second] = models.map(
    (entry: { parameters: { weight: number } }) => entry.parameters.weight,
  );
  const name = await page.getByRole("textbox", { name: "Name of the result" }).inputValue();
  const out = await exportMerged(page, name.replace(/-2$/, ""), folder); // the next one's

  const [own, base, tales] = [out, sample("ember-base"), sample("ember-tales")].map(readModel);
  for (const [module, rows, columns] of modules) {
    const weights = `${module}.weight`;
    const [w, t, result] = [base, tales, own].map((model) => valuesOf(model!.get(weights)!));
    const [a, b] = adapter.factors.get(module)!;
    const share = first / (first + second);
    for (let i = 0; i < rows * columns; i++) {
      const [row, column] = [Math.trunc(i / columns), i % columns];
      let delta = 0;
      for (let k = 0; k < 4; k++) delta += b[4 * row + k]! * a[columns * k + column]!;
      const adapted = w![i]! + 2 * delta;
      const wanted = share * adapted + (1 - share) * t![i]!;
      // Both the model with its adapter and the result are rounded to bfloat16, whose unit is 2⁻⁸.
      const bound = 1.01 * 2 ** -8 * (share * Math.abs(adapted) + Math.abs(wanted));
      const off = Math.abs(result![i]! - wanted) - bound;
      if (off > 0) throw new Error(`${module}, value ${i}: ${off} more than ${bound} off`);
    }
  }
  await readWithTransformers(out, { layers: 6 });
});

test("vocabularies that differ are told before the merge, and united by the keyboard", async ({
  page,
  folder,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  const tokens = ["<|im_start|>", "<|im_end|>"];
  await dropOnWindow(page, [
    sample("ember-base"),
    sample("ember-tales"),
    writeWithTokens(folder, ["ember-chat", "ember-drama"], tokens),
  ]);
  await expectStored(page, "ember-chat");
  await page.getByRole("status").getByRole("button", { name: "Merge these" }).click();
  await choose(page, "Change the method", /^Linear\b.*with one weight each/);
  const plan = page.getByRole("region", { name: "Plan" });
  const table = plan.getByRole("table", { name: "Vocabularies that differ from the result’s" });
  await expect(table.getByRole("row", { name: /ember-chat/ })).toContainText("020");

  const source = page.getByRole("combobox", { name: "Vocabulary" });
  await tabTo(page, source);
  await page.keyboard.press("Enter");
  await page.getByRole("option", { name: "union" }).click();
  await expect(yaml(page)).toHaveValue(/^tokenizer_source: union$/m);
  await expect(plan).toContainText("rows are merged token by token");
  const lacking = table.getByRole("row", { name: /ember-tales/ });
  await expect(lacking).toContainText("200");
  await table.getByText("All 2").first().click();
  await expect(table).toContainText("<|im_start|>");
  await takePictures(page, "vocabulary", table);
  await inBothThemes(page, (theme) => expectAccessible(page, `Merge, vocabularies, ${theme}`));

  await mergeByKeyboard(page);
  const out = await exportMerged(page, "ember-linear", folder);
  const { shape } = readModel(out).get("model.embed_tokens.weight")!;
  expect(shape).toEqual([1026, 128]);
  await readWithTransformers(out, { layers: 6, vocabulary: 1026, rows: 1026 });
});

test("documents that feed each other are drawn in their order, and merged as one", async ({
  page,
}) => {
  await openStudio(page);
  await dropOnWindow(
    page,
    ["base", "tales", "drama", "maths"].map((name) => sample(`ember-${name}`)),
  );
  await expectStored(page, "ember-maths");
  await goTo(page, "Merge");
  const pair = (one: string, two: string) =>
    `models: [{model: ${one}, parameters: {weight: 0.5}}, {model: ${two}, parameters: {weight: 0.5}}]`;
  await yaml(page).fill(
    [
      "name: stories",
      "merge_method: linear",
      pair("ember-tales", "ember-drama"),
      "---",
      "name: tower",
      "merge_method: passthrough",
      "slices:",
      "  - sources: [{model: stories, layer_range: [0, 4]}]",
      "  - sources: [{model: ember-base, layer_range: [4, 6]}]",
      "---",
      "merge_method: ties",
      "base_model: ember-base",
      "models:",
      "  - {model: tower, parameters: {weight: 0.5, density: 0.5}}",
      "  - {model: stories, parameters: {weight: 0.3, density: 0.5}}",
      "  - {model: ember-maths, parameters: {weight: 0.2, density: 0.5}}",
      "",
    ].join("\n"),
  );
  const documents = page.getByRole("region", { name: "Documents" });
  const list = documents.getByRole("list", { name: "Merges in their order" });
  await expect(list.getByRole("listitem")).toHaveCount(3);
  await expect(list.getByRole("listitem").first()).toContainText(
    "Linear of ember-tales, ember-drama",
  );
  await expect(list.getByRole("listitem").last()).toContainText(
    "tower, stories, ember-base, ember-maths",
  );
  await expect(page.getByRole("region", { name: "Layers", exact: true })).toContainText(
    "6 layers: 4 of stories and 2 of ember-base",
  );
  await takePictures(page, "documents", documents);
  await inBothThemes(page, (theme) => expectAccessible(page, `Merge, documents, ${theme}`));
  await documents.getByRole("checkbox", { name: /^Keep the results/ }).check();
  await mergeByKeyboard(page);
  await goTo(page, "Library");
  for (const name of ["stories", "tower"]) {
    await expect(page.getByRole("list", { name: "Models" })).toContainText(name);
  }
});

test("gradients and filters are drawn over the layers, a curve for the matrices that share them", async ({
  page,
}) => {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await openStudio(page);
  await dropOnWindow(
    page,
    ["tales", "drama"].map((name) => sample(`ember-${name}`)),
  );
  await expectStored(page, "ember-drama");
  await goTo(page, "Merge");
  await yaml(page).fill(
    [
      "merge_method: slerp",
      "base_model: ember-tales",
      "models: [{model: ember-drama}]",
      "parameters:",
      "  t:",
      "    - {filter: self_attn, value: [0, 0.5, 0.3, 0.7, 1]}",
      "    - {filter: mlp, value: [1, 0.5, 0.7, 0.3, 0]}",
      "    - value: 0.5",
      "",
    ].join("\n"),
  );
  const curves = page.getByRole("img", { name: /^t over layers 0–5\./ });
  await expect(curves).toHaveAccessibleName(
    /ln₁, ln₂: 0\.5; down, gate, up: 1 → 0; k, o, q, v: 0 → 1/,
  );
  const method = page.getByRole("region", { name: "Method" });
  await takePictures(page, "curves", method);
  await method.getByText("The numbers").click();
  // Layer 2 of 6 lies at 0.4 of the depth: 0.4 of the way from 0.5 to 0.3 between five values.
  const row = method.getByRole("row", { name: /^2 / });
  await expect(row).toContainText("0.38");
  await inBothThemes(page, (theme) => expectAccessible(page, `Merge, curves, ${theme}`));
});
