import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectAccessible } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { readTensors } from "./checkpoints.ts";
import {
  dropOnWindow,
  expectStored,
  exportFromLibrary,
  goTo,
  MERGE_MS,
  openStudio,
  SAMPLE_NAMES,
  SAMPLES,
  standInForPicker,
} from "./studio.ts";

const YAML = `base_model: ember-base
dtype: bfloat16
experts:
  - {source_model: ember-tales, positive_prompts: ["Once upon a time"]}
  - {source_model: ember-maths, positive_prompts: ["2 + 2 ="]}
`;

test("a dropped config of mergekit-moe says what it makes, and makes it by keyboard", async ({
  page,
  folder,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  const file = join(folder, "ember-moe.yml");
  writeFileSync(file, YAML);
  await dropOnWindow(page, [file]);
  await expect(page.getByText(/There is no model "ember-base" in the library/)).toBeVisible();

  await dropOnWindow(
    page,
    SAMPLE_NAMES.map((name) => join(SAMPLES, name)),
  );
  for (const name of SAMPLE_NAMES) await expectStored(page, name);
  await dropOnWindow(page, [file]);
  const card = page.getByRole("dialog", { name: "Make this mixture of experts?" });
  await expect(card).toContainText("Mixtral");
  await expect(card).toContainText("ember-maths, 1 prompt");
  await expect(card.getByLabel("Name of the result")).toBeFocused();
  await expect(card.getByLabel("Name of the result")).toHaveValue("ember-moe");
  await expectAccessible(page, "Mixture");
  await card.getByLabel("Name of the result").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Runs" })).toBeVisible();
  await goTo(page, "Library");
  await expectStored(page, "ember-moe", MERGE_MS);
  const files = await exportFromLibrary(page, "ember-moe");
  expect(files.get("mergekit_moe_config.yml")?.toString()).toBe(YAML);
  const tensors = readTensors(files.get("model.safetensors")!);
  expect(tensors.get("model.layers.0.mlp.experts.gate_up_proj")?.shape).toEqual([2, 688, 128]);
});
