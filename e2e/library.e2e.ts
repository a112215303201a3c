import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "./browser.ts";
import { sha256, writeFamily } from "./checkpoints.ts";
import {
  chooseVerb,
  dropOnWindow,
  expectStored,
  exportFromLibrary,
  goTo,
  MERGE_MS,
  modelRow,
  openStudio,
  pickFolder,
  readTensorTable,
  SAMPLES,
  standInForPicker,
  trySamples,
  waitForProgress,
} from "./studio.ts";

const NAMES = ["pine", "pine-a", "pine-b"] as const;

test("a merge is cancelled, its run deleted, and deleting models frees their storage", async ({
  page,
  folder,
}) => {
  const family = join(folder, "family");
  writeFamily(family, NAMES, { layers: 6, hidden: 512 });
  const usedBytes = () =>
    page.evaluate(async () => (await navigator.storage.estimate()).usage ?? Number.NaN);
  await openStudio(page);
  await pickFolder(page, family);
  for (const name of NAMES) await expectStored(page, name, MERGE_MS);
  const full = await usedBytes();
  expect(full).toBeGreaterThan(60e6);

  await page.getByRole("status").getByRole("button", { name: "Merge these" }).click();
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await waitForProgress(page, /^Merge/, 2);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("Merge pine-varm: cancelled.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();

  await goTo(page, "Runs");
  const run = page.getByRole("listitem").filter({ hasText: "Merge pine-varm" });
  await expect(run).toContainText("cancelled");
  await run.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(run).toHaveCount(0);

  await goTo(page, "Library");
  await expect(page.getByRole("list", { name: "Models" }).getByRole("listitem")).toHaveCount(3);
  for (const name of NAMES) {
    await chooseVerb(page, name, "Delete…");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(modelRow(page, name)).toHaveCount(0);
  }
  await expect(page.getByRole("button", { name: "Try it with the sample models" })).toBeVisible();
  await expect.poll(usedBytes, { timeout: 30_000 }).toBeLessThan(full / 10);
});

test("a model is renamed, the recipe follows, and a taken name gets a number", async ({ page }) => {
  await openStudio(page);
  await dropOnWindow(page, [join(SAMPLES, "ember-base"), join(SAMPLES, "ember-tales")]);
  await expectStored(page, "ember-tales");
  await page.getByRole("status").getByRole("button", { name: "Merge these" }).click();
  await expect(page.getByRole("textbox", { name: "Recipe as YAML" })).toHaveValue(/ember-tales/);

  await goTo(page, "Library");
  await chooseVerb(page, "ember-tales", "Rename…");
  const first = page.getByRole("dialog", { name: "Rename ember-tales" });
  await first.getByRole("textbox", { name: "Name" }).fill("ember-base");
  await first.getByRole("button", { name: "Rename" }).click();
  await expect(modelRow(page, "ember-base 2")).toBeVisible();
  await chooseVerb(page, "ember-base 2", "Rename…");
  const second = page.getByRole("dialog", { name: "Rename ember-base 2" });
  await second.getByRole("textbox", { name: "Name" }).fill("märchen 3");
  await second.getByRole("textbox", { name: "Name" }).press("Enter");
  await expect(second).toBeHidden();
  await expect(modelRow(page, "märchen 3")).toBeVisible();
  await expect(modelRow(page, "ember-tales")).toHaveCount(0);

  await goTo(page, "Merge");
  await expect(page.getByRole("textbox", { name: "Recipe as YAML" })).toHaveValue(/märchen 3/);
  await page.reload();
  await goTo(page, "Library");
  await expect(modelRow(page, "märchen 3")).toBeVisible();
});

test("an exported merge, dropped again as a folder, has the same tensors", async ({
  page,
  folder,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  await trySamples(page);
  await goTo(page, "Library");
  const merged = await readTensorTable(page, "ember-varm");
  const files = await exportFromLibrary(page, "ember-varm");
  const path = join(folder, "home-again");
  mkdirSync(path);
  for (const [name, bytes] of files) writeFileSync(join(path, name), bytes);

  await dropOnWindow(page, [path]);
  await expectStored(page, "home-again");
  expect(await readTensorTable(page, "home-again")).toEqual(merged);
  const again = await exportFromLibrary(page, "home-again");
  expect([...again.keys()].sort()).toEqual([...files.keys()].sort());
  for (const [name, bytes] of files) {
    // The list of sums may name the files in another order.
    const lines = (all: Buffer | undefined) => String(all).split("\n").sort();
    if (name === "SHA256SUMS") expect(lines(again.get(name))).toEqual(lines(bytes));
    else expect(sha256(again.get(name) ?? ""), name).toBe(sha256(bytes));
  }
});
