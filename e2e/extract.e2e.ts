import { join } from "node:path";
import { expectAccessible } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { takePictures } from "./pictures.ts";
import {
  dropOnWindow,
  expectStored,
  exportFromLibrary,
  goTo,
  MERGE_MS,
  modelRow,
  openStudio,
  SAMPLES,
  standInForPicker,
} from "./studio.ts";

test("a LoRA is extracted by keyboard, its spectra are shown, and it is exported for peft", async ({
  page,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  await dropOnWindow(page, [join(SAMPLES, "ember-base"), join(SAMPLES, "ember-drama")]);
  await expectStored(page, "ember-drama");
  await goTo(page, "Library");
  for (const name of ["ember-base", "ember-drama"]) {
    await page.getByRole("checkbox", { name: `Select ${name}` }).press("Space");
  }
  await page.getByRole("button", { name: "Extract a LoRA…" }).press("Enter");
  const dialog = page.getByRole("dialog", { name: "Extract a LoRA" });
  await expect(dialog.getByText("what ember-drama has learned beyond it")).toBeVisible();
  await expect(dialog.getByRole("combobox", { name: "Base" })).toHaveValue("ember-base");
  const rank = dialog.getByRole("textbox", { name: "Rank" });
  await rank.fill("12");
  await expectAccessible(page, "the dialog of an extraction");
  await takePictures(page, "extract-dialog");
  await rank.press("Enter");

  await expect(page.getByRole("heading", { level: 1, name: "Runs" })).toBeVisible();
  const run = page.getByRole("listitem").filter({ hasText: "Extract ember-drama-lora" });
  await expect(run).toContainText("done", { timeout: MERGE_MS });
  await run.locator("summary").press("Enter");
  const table = run.getByRole("table");
  await expect(table.getByRole("row")).toHaveCount(1 + 42);
  const query = table.getByRole("row").filter({ hasText: "layers.5.self_attn.q_proj" });
  await query.getByRole("button").press("Enter");
  await expect(query.getByRole("button")).toHaveAttribute("aria-pressed", "true");
  await expect(query).toContainText("128 × 128");
  await expect(
    run.getByRole("img", { name: /layers\.5\.self_attn\.q_proj is marked/ }),
  ).toBeVisible();
  await expectAccessible(page, "the spectra of an extraction");
  await takePictures(page, "extract-spectra", run);

  await goTo(page, "Library");
  await expect(modelRow(page, "ember-drama-lora")).toContainText("extracted here");
  const files = await exportFromLibrary(page, "ember-drama-lora");
  expect([...files.keys()].sort()).toEqual([
    "README.md",
    "SHA256SUMS",
    "adapter_config.json",
    "adapter_model.safetensors",
    "extraction.json",
  ]);
  const config = JSON.parse(files.get("adapter_config.json")?.toString() ?? "{}");
  expect(config).toMatchObject({ peft_type: "LORA", r: 12, base_model_name_or_path: "ember-base" });
});
