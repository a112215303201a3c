import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hasTestData, testDataPath } from "../src/node/testdata.ts";
import { expect, test } from "./browser.ts";
import { readTensors } from "./checkpoints.ts";
import {
  dropOnWindow,
  expectStored,
  modelRow,
  openStudio,
  pickFolder,
  readTensorTable,
  waitForMerge,
} from "./studio.ts";

const NAMES = ["stories260K", "stories260K-grimm", "stories260K-shakespeare"] as const;

// The zoo is not part of the project: it is where FUSESTUDIO_TESTDATA says, or nowhere.
test.skip(!hasTestData, "NOT RUN: no test data");

test("three folders, one of them sharded, merge over the base that is guessed", async ({
  page,
  folder,
}) => {
  const family = join(folder, "family");
  for (const name of NAMES) {
    cpSync(testDataPath("zoo", "models", name), join(family, name), { recursive: true });
  }
  const shards = readdirSync(join(family, "stories260K-grimm")).filter((name) =>
    name.endsWith(".safetensors"),
  );
  expect(shards).toHaveLength(3);
  const tensors = shards.flatMap((name) => [
    ...readTensors(readFileSync(join(family, "stories260K-grimm", name))).keys(),
  ]);

  await openStudio(page);
  await pickFolder(page, family);
  for (const name of NAMES) await expectStored(page, name);
  const table = await readTensorTable(page, "stories260K-grimm");
  expect(table.at(-1)).toBe(`Tensors · ${tensors.length}`);

  await page.getByRole("status").getByRole("button", { name: "Merge these" }).click();
  const recipe = page.getByRole("textbox", { name: "Recipe as YAML" });
  await expect(recipe).toHaveValue(/^base_model: stories260K$/m);
  await expect(recipe).toHaveValue(
    /- model: stories260K-grimm\n.*- model: stories260K-shakespeare/,
  );
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await waitForMerge(page);
  const grid = page.getByRole("grid", { name: "Merge weights by layer and matrix" });
  await expect(grid.getByRole("gridcell", { name: "not measured yet" })).toHaveCount(0);
  await expect(
    grid.getByRole("gridcell", { name: /^Layer 4 · q: \S+-grimm 0\.449, \S+-shakespeare 0\.551;/ }),
  ).toHaveCount(1);
});

test("folders can be dropped on any screen, several at once", async ({ page }) => {
  await openStudio(page, "#/runs");
  await dropOnWindow(
    page,
    NAMES.slice(0, 2).map((name) => testDataPath("zoo", "models", name)),
  );
  await expect(page.getByText("Import 2 models")).toBeVisible();
  await page.getByRole("link", { name: "Library" }).click();
  for (const name of NAMES.slice(0, 2)) await expectStored(page, name);
});

test("a script's own drop, which has no folders, is taken as well", async ({ page }) => {
  await openStudio(page);
  const file = readFileSync(testDataPath("zoo", "models", "stories260K", "model.safetensors"));
  await page.evaluate((base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "lone.safetensors"));
    for (const type of ["dragenter", "dragover", "drop"]) {
      document.body.dispatchEvent(
        new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }),
      );
    }
  }, file.toString("base64"));
  await expect(modelRow(page, "lone")).toContainText("1.0 MB");
});
