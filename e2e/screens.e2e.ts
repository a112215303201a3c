import { expect, test } from "./browser.ts";
import { takePictures } from "./pictures.ts";
import { goTo, openStudio, trySamples } from "./studio.ts";

test("every screen fits a desk's and a phone's window, light and dark", async ({ page }) => {
  await openStudio(page);
  await takePictures(page, "library-empty");
  await goTo(page, "Merge");
  await takePictures(page, "merge-empty");
  await goTo(page, "Library");
  await trySamples(page);
  await page.getByRole("gridcell", { name: /^Layer 3 · gate:/ }).click();
  await expect(page.getByRole("img", { name: /^Histogram/ })).toBeVisible();
  await page.mouse.move(0, 0);
  await takePictures(page, "merge");
  await goTo(page, "Library");
  await takePictures(page, "library");
  await goTo(page, "Fuse");
  // The samples have one shape: they are folded away as sources of each other.
  await page.getByText("Of the pivot’s own shape").click();
  await expect(page.getByRole("checkbox", { name: "ember-varm" })).toBeEnabled();
  await takePictures(page, "fuse");
  await goTo(page, "Playground");
  await expect(page.getByRole("checkbox", { name: "ember-varm" })).toBeEnabled();
  await takePictures(page, "playground");
  await goTo(page, "Runs");
  await takePictures(page, "runs");

  // The picture in the README is taken on request, since it changes with every run's times.
  const picture = process.env.FUSESTUDIO_SCREENSHOT;
  if (!picture) return;
  await goTo(page, "Merge");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await expect(page.getByRole("gridcell", { name: /^Layer 3 · gate:/ })).toBeVisible();
  await page.screenshot({ path: picture, animations: "disabled" });
});

test("an evaluation of too few rows says so, at a desk and on a phone", async ({ page }) => {
  await openStudio(page);
  await trySamples(page);
  await goTo(page, "Library");
  await page.getByRole("button", { name: "Add the sample texts" }).click();
  await expect(page.getByRole("list", { name: "Datasets" }).getByRole("listitem")).toHaveCount(3);
  await page.getByRole("button", { name: "Evaluate", exact: true }).click();
  for (const name of ["ember-drama", "ember-tales", "drama.jsonl", "tales.jsonl"]) {
    const box = page.getByRole("checkbox", { name, exact: true });
    await expect(box).toBeChecked();
    await box.uncheck();
  }
  await page.getByRole("textbox", { name: "Rows of each dataset, at most" }).fill("3");
  await expect(page.getByText("Too few for an interval")).toBeVisible();
  await page.getByRole("button", { name: "Start the evaluation" }).click();
  const row = page.getByRole("row", { name: /ember-maths/ });
  await expect(row).toContainText("too few rows", { timeout: 60_000 });
  await expect(page.getByRole("row", { name: /ember-base/ })).toContainText(
    "n = 3, too few for an interval",
  );
  const table = page.getByRole("region", { name: "Bits per byte" });
  await takePictures(page, "evaluate-too-few", table);
});
