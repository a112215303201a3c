import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright/test";
import { expect, test } from "./browser.ts";
import { goTo, openStudio, trySamples } from "./studio.ts";

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
] as const;
const FOLDER = join(import.meta.dirname, "..", "test-results", "screens");

/** Takes a picture of the screen in both themes and sizes; nothing may be wider than the window. */
async function take(page: Page, name: string): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const path = join(FOLDER, `${name}-${size.width}-${colorScheme}.png`);
      await page.screenshot({ path, animations: "disabled" });
    }
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, `${name} at ${size.width}`).toBeLessThanOrEqual(size.width);
  }
  await page.setViewportSize(SIZES[0]);
}

test("every screen fits a desk's and a phone's window, light and dark", async ({ page }) => {
  mkdirSync(FOLDER, { recursive: true });
  await openStudio(page);
  await take(page, "library-empty");
  await goTo(page, "Merge");
  await take(page, "merge-empty");
  await goTo(page, "Library");
  await trySamples(page);
  await page.getByRole("gridcell", { name: /^Layer 3 · gate:/ }).click();
  await expect(page.getByRole("img", { name: /^Histogram/ })).toBeVisible();
  await page.mouse.move(0, 0);
  await take(page, "merge");
  await goTo(page, "Library");
  await take(page, "library");
  await goTo(page, "Fuse");
  await expect(page.getByRole("checkbox", { name: "ember-varm" })).toBeEnabled();
  await take(page, "fuse");
  await goTo(page, "Playground");
  await expect(page.getByRole("checkbox", { name: "ember-varm" })).toBeEnabled();
  await take(page, "playground");
  await goTo(page, "Runs");
  await take(page, "runs");

  // The picture in the README is taken on request, since it changes with every run's times.
  const picture = process.env.FUSESTUDIO_SCREENSHOT;
  if (!picture) return;
  await goTo(page, "Merge");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await expect(page.getByRole("gridcell", { name: /^Layer 3 · gate:/ })).toBeVisible();
  await page.screenshot({ path: picture, animations: "disabled" });
});
