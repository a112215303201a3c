import { expectAccessible, findViolations, inBothThemes, tabTo } from "./axe.ts";
import { expect, test } from "./browser.ts";
import {
  goTo,
  openStudio,
  readPrivateFolder,
  standInForPicker,
  trySamples,
  waitForMerge,
} from "./studio.ts";

test("a button without a name and grey on grey would be found", async ({ page }) => {
  await openStudio(page);
  await page.evaluate(() => {
    const button = document.createElement("button");
    const text = document.createElement("p");
    text.textContent = "grey on grey";
    text.style.cssText = "color: #999; background: #aaa";
    document.querySelector("main")?.prepend(button, text);
  });
  const found = (await findViolations(page)).join("\n");
  expect(found).toContain("button-name");
  expect(found).toContain("color-contrast");
});

test("axe finds nothing serious on any screen, empty or full, light or dark", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await openStudio(page);
  for (const screen of ["Library", "Merge", "Fuse", "Playground", "Runs"] as const) {
    await goTo(page, screen);
    await inBothThemes(page, (theme) => expectAccessible(page, `${screen}, empty, ${theme}`));
  }
  await goTo(page, "Fuse");
  await page.getByRole("tab", { name: "FuseChat" }).click();
  await inBothThemes(page, (theme) => expectAccessible(page, `FuseChat, empty, ${theme}`));
  await page.getByRole("tab", { name: "Fusion" }).click();
  await goTo(page, "Library");
  await trySamples(page);
  await page.getByRole("gridcell", { name: /^Layer 2 · gate:/ }).click();
  await expect(page.getByRole("img", { name: /^Histogram/ })).toBeVisible();
  await inBothThemes(page, (theme) => expectAccessible(page, `Merge, a cell open, ${theme}`));
  await page.getByRole("button", { name: "Override" }).click();
  await expectAccessible(page, "Merge, a cell being overridden");
  for (const screen of ["Library", "Fuse", "Playground", "Runs"] as const) {
    await goTo(page, screen);
    await inBothThemes(page, (theme) => expectAccessible(page, `${screen}, full, ${theme}`));
  }
  await goTo(page, "Playground");
  await page.getByRole("textbox", { name: "Prompt" }).fill("There was once");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByText(/^128 tokens/)).toHaveCount(2, { timeout: 60_000 });
  await inBothThemes(page, (theme) => expectAccessible(page, `Playground, answered, ${theme}`));
  await page.getByRole("tab", { name: "Evaluate" }).click();
  await expectAccessible(page, "Evaluate");
  await goTo(page, "Library");
  await page.getByRole("button", { name: "ember-varm", exact: true }).click();
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await expectAccessible(page, "Library, a model open");
});

test("the keyboard alone leads from the samples over the map to the exported folder", async ({
  page,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  const press = (key: string) => page.keyboard.press(key);
  await tabTo(page, page.getByRole("button", { name: "Try it with the sample models" }));
  await press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Merge" })).toBeVisible();
  await waitForMerge(page);

  await tabTo(page, page.getByRole("gridcell", { name: /^embed:/ }));
  await press("ArrowDown");
  await press("ArrowRight");
  await expect(page.getByRole("gridcell", { name: /^Layer 0 · k:/ })).toBeFocused();
  await press("ArrowDown");
  await press("Enter");
  const tensor = page.getByRole("region", { name: "Layer 1 · k" });
  await expect(tensor).toContainText("model.layers.1.self_attn.k_proj.weight");
  await expect(page.getByRole("img", { name: /^Histogram/ })).toBeVisible();

  await tabTo(page, tensor.getByRole("button", { name: "Lock" }));
  await press("Enter");
  await expect(page.getByRole("gridcell", { name: /^Layer 1 · k:.*locked/ })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Merge", exact: true }));
  await press("Enter");
  await expect(page.getByText(/^Merge ember-varm-2: done\./)).toBeVisible({ timeout: 60_000 });
  await tabTo(page, page.getByRole("button", { name: "Export…" }));
  await press("Enter");
  await expect(page.getByText("ready for transformers")).toBeVisible();
  const files = await readPrivateFolder(page, "picked/ember-varm-2");
  expect(String(files.get("recipe.json"))).toContain("layers.1.self_attn.k_proj.weight");
});
