import { join } from "node:path";
import type { Page } from "playwright/test";
import { expect, test } from "./browser.ts";
import { dropOnWindow, expectStored, openStudio, readTensorTable, SAMPLES } from "./studio.ts";

/** Puts a line before the Worker's script, where the engine looks for the GPU. */
async function takeWebGpuAway(page: Page): Promise<void> {
  await page.context().route("**/assets/worker-*.js", async (route) => {
    const answer = await route.fetch();
    const line = 'Reflect.deleteProperty(WorkerNavigator.prototype, "gpu");';
    await route.fulfill({ response: answer, body: `${line}${await answer.text()}` });
  });
  await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "gpu"));
}

/** What must work all the same: import, headers, base, recipe and plan; and the reason is told. */
async function expectUsable(page: Page, code: string): Promise<void> {
  await page.getByRole("button", { name: "No GPU" }).click();
  const help = page.getByRole("dialog").filter({ hasText: "No GPU to compute on" });
  await expect(help).toContainText(code);
  expect(await help.getByRole("listitem").count()).toBeGreaterThan(0);
  await page.keyboard.press("Escape");

  await dropOnWindow(page, [join(SAMPLES, "ember-base"), join(SAMPLES, "ember-tales")]);
  await expectStored(page, "ember-tales");
  expect((await readTensorTable(page, "ember-tales")).at(-1)).toBe("Tensors · 56");
  await page.getByRole("status").getByRole("button", { name: "Merge these" }).click();

  const recipe = page.getByRole("textbox", { name: "Recipe as YAML" });
  await expect(recipe).toHaveValue(/^base_model: ember-base$/m);
  await recipe.fill(`${await recipe.inputValue()}parameters:\n  granularity: layer\n`);
  await expect(page.getByRole("combobox", { name: "Granularity" })).toHaveValue("layer");
  await expect(page.getByRole("region", { name: "Plan" })).toContainText("2.4 MB");
  await expect(page.getByText("No GPU to merge on.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Merge", exact: true })).toBeDisabled();
}

test.describe("without WebGPU", () => {
  test("the page says so and what to do, and everything but merging works", async ({ page }) => {
    await takeWebGpuAway(page);
    await openStudio(page);
    await expectUsable(page, "no-webgpu");
  });
});

test.describe("without an adapter", () => {
  // Without its flags Chromium has the API on this system, but offers no adapter.
  test.use({ gpuFlags: [] });

  test("the page says so and what to do, and everything but merging works", async ({ page }) => {
    await openStudio(page);
    await expectUsable(page, "no-adapter");
  });

  test("the samples are loaded all the same, and the page says why they are not merged", async ({
    page,
  }) => {
    await openStudio(page);
    await page.getByRole("button", { name: "Try it with the sample models" }).click();
    await expect(page.getByText("No GPU to merge on.")).toBeVisible();
    await expect(page.getByRole("textbox", { name: "Recipe as YAML" })).toHaveValue(/ember-maths/);
  });
});
