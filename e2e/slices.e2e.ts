import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright/test";
import { expectAccessible, inBothThemes, tabTo } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { readTensors, writeFamily } from "./checkpoints.ts";
import { takePictures } from "./pictures.ts";
import {
  dropOnWindow,
  expectStored,
  exportMerged,
  openStudio,
  SAMPLES,
  standInForPicker,
  waitForMerge,
} from "./studio.ts";
import { readWithTransformers } from "./transformers.ts";

const yaml = (page: Page) => page.getByRole("textbox", { name: "Recipe as YAML" });
const layers = (page: Page) => page.getByRole("grid", { name: "Layers of the result" });

/** Runs a command of the palette by the keyboard. */
async function runCommand(page: Page, name: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByRole("textbox", { name: "Search commands" }).pressSequentially(name);
  await page.keyboard.press("Enter");
}

test("the keyboard alone leads from nothing to an exported frankenmerge of two models", async ({
  page,
  folder,
}) => {
  const press = (key: string) => page.keyboard.press(key);
  await standInForPicker(page);
  await openStudio(page);
  await runCommand(page, "Stack layers");
  await expect(page.getByRole("heading", { level: 1, name: "Merge" })).toBeVisible();
  await expect(yaml(page)).toHaveValue(/^merge_method: passthrough$/m);
  const region = page.getByRole("region", { name: "Layers", exact: true });
  await expect(region).toContainText("8 layers: 4 of tales and 4 of drama.");

  // A bar leads to its slice in the form; what is typed there is in the text and in the picture.
  const lower = layers(page).getByRole("gridcell", { name: /^layers 0–3: 0–3 of ember-tales/ });
  await tabTo(page, lower);
  await press("ArrowDown");
  await expect(layers(page).getByRole("gridcell", { name: /^layers 4–7:/ })).toBeFocused();
  await press("Enter");
  const upper = page.getByRole("group", { name: "Layers 4–7 of the result" });
  await expect(upper).toBeFocused();
  for (let i = 0; i < 4; i++) await press("Tab"); // its title, its menu, its model
  const first = page.getByRole("textbox", { name: /^First layer of ember-drama/ });
  await expect(first).toBeFocused();
  await press("Control+a");
  await page.keyboard.type("3");
  await press("Enter");
  await expect(yaml(page)).toHaveValue(/layer_range: \[3, 6\]/);
  await expect(region).toContainText("7 layers: 4 of tales and 3 of drama.");

  await takePictures(page, "slices-form", page.getByRole("region", { name: "Models" }));
  await tabTo(page, page.getByRole("button", { name: "Actions for layers 0–3" }));
  await press("Enter");
  await page.getByRole("menuitem", { name: "Repeat it" }).press("Enter");
  await expect(region).toContainText("11 layers: 8 of tales and 3 of drama.");
  await expect(region).toContainText("4 layers of the models are used more than once.");
  await expect(yaml(page)).toHaveValue(/\[0, 4\][\s\S]*\[0, 4\][\s\S]*\[3, 6\]/);

  await tabTo(page, page.getByRole("button", { name: "Merge", exact: true }));
  await press("Enter");
  await waitForMerge(page);
  const out = await exportMerged(page, "ember-passthrough", folder);
  const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
  expect(config.num_hidden_layers).toBe(11);
  const read = (path: string) => readTensors(readFileSync(join(path, "model.safetensors")));
  const own = read(out);
  const [tales, drama] = ["ember-tales", "ember-drama"].map((model) => read(join(SAMPLES, model)));
  const expectLayer = (layer: number, from: typeof tales, of: number) => {
    const at = (number: number) => `model.layers.${number}.mlp.up_proj.weight`;
    const same = Buffer.compare(own.get(at(layer))!.bytes, from!.get(at(of))!.bytes) === 0;
    expect(same, `layer ${layer} is layer ${of}`).toBe(true);
  };
  for (const layer of [0, 1, 2, 3]) expectLayer(layer, tales, layer);
  for (const layer of [4, 5, 6, 7]) expectLayer(layer, tales, layer - 4);
  for (const layer of [8, 9, 10]) expectLayer(layer, drama, layer - 5);
  expect(own.has("model.layers.11.mlp.up_proj.weight")).toBe(false);

  await readWithTransformers(out, { layers: 11 });
});

test("a picture of slices is clear and accessible, for few layers and for 120, with long names", async ({
  page,
  folder,
}) => {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await openStudio(page);
  const family = join(folder, "family");
  const stem = "Meta-Llama-3.1-Instruct-abliterated-roleplay-finetune-of-the-large-one";
  const names = [`${stem}-v2.5-epoch-3`, `${stem}-v2.6-epoch-1-merged`, "nous-hermes-40L"];
  const paths = writeFamily(family, names, { layers: 40, hidden: 16 });
  await dropOnWindow(page, paths);
  for (const name of names) await expectStored(page, name);

  const source = (model: number, first: number, end: number, more = "") =>
    `      - {model: ${names[model]}, layer_range: [${first}, ${end}]${more}}`;
  const open = async (lines: readonly string[]) => {
    await yaml(page).fill(`${lines.join("\n")}\n`);
    await expect(page.getByRole("button", { name: "Merge", exact: true })).toBeEnabled();
  };
  await page.getByRole("link", { name: "Merge" }).click();
  const merged = [
    "merge_method: slerp",
    `base_model: ${names[0]}`,
    "parameters: {t: [0, 0.5, 1]}",
    "slices:",
    ...[0, 1, 2].flatMap((i) => [
      "  - sources:",
      source(0, 10 * i, 10 * i + 20),
      source(1 + (i % 2), 10 * i, 10 * i + 20),
    ]),
  ];
  await open(merged);
  await expect(page.getByText(/^60 layers, merged from 3 models/)).toBeVisible();
  await expect(page.getByRole("img", { name: /^t over layers 0–59\. .*: 0 → 1/ })).toBeVisible();
  await takePictures(
    page,
    "slices-merged",
    page.getByRole("region", { name: "Layers", exact: true }),
  );

  await open([
    "merge_method: passthrough",
    "slices:",
    ...Array.from({ length: 60 }, (_, i) => [
      "  - sources:",
      source(i % 3, i % 38, (i % 38) + 2),
    ]).flat(),
  ]);
  await expect(
    page.getByText(/^120 layers from 3 models\. 21 layers of the models are used/),
  ).toBeVisible();
  await layers(page).getByRole("gridcell").nth(7).hover();
  await takePictures(page, "slices-120", page.getByRole("region", { name: "Layers", exact: true }));
  await inBothThemes(page, (theme) => expectAccessible(page, `Merge, 120 layers, ${theme}`));
  await open(merged);
  await inBothThemes(page, (theme) => expectAccessible(page, `Merge, slices, ${theme}`));
});
