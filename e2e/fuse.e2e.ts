import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import type { Page } from "playwright/test";
import { expectAccessible, inBothThemes, tabTo } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { takePictures } from "./pictures.ts";
import {
  expectStored,
  goTo,
  openStudio,
  pickFolder,
  readPrivateFolder,
  SAMPLES,
  standInForPicker,
  waitForProgress,
} from "./studio.ts";

/** A software GPU compiles the kernels of two models before it reads a word. */
const FUSE_MS = 150_000;
const FLOW = "Tokens of ember-base over those of flint-source";

const status = (page: Page) => page.getByRole("status").filter({ hasText: /^Fuse .*: done\./ });

/** The number in front of a per cent sign in a cell. */
const percentOf = (text: string | null) =>
  Number(/([\d.]+)\s%/.exec(text ?? "")?.[1] ?? Number.NaN);

test("the samples are fused through a reload, walked through by keyboard, and taken home", async ({
  page,
}) => {
  test.setTimeout(360_000);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await standInForPicker(page);
  await openStudio(page);
  await goTo(page, "Fuse");
  await page.getByRole("button", { name: "Try a fusion with the samples" }).click();
  await waitForProgress(page, /^Fuse flint-source into ember-base/, 25);
  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(page.getByText("Looking for a GPU…")).toBeHidden();

  const pipeline = page.getByRole("list", { name: "Pipeline" });
  await expect(pipeline).toContainText("stopped here");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(status(page)).toBeVisible({ timeout: FUSE_MS });
  await expect(pipeline).toContainText(/MinCE: pivot [\d.]+\s%, flint-source [\d.]+\s%/);

  const source = page
    .getByRole("region", { name: "Pivot and sources" })
    .getByRole("row", { name: /flint-source/ });
  expect(percentOf(await source.getByRole("cell").nth(1).textContent())).toBeGreaterThan(50);
  const bits = await source.getByRole("cell").nth(2).textContent();
  expect(Number(/[\d.]+/.exec(bits ?? "")?.[0])).toBeGreaterThan(0.5);
  await takePictures(page, "fuse-totals");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });

  await page.getByRole("tab", { name: /^Documents/ }).click();
  const first = page.getByRole("listbox", { name: "Documents" }).getByRole("option").first();
  await expect(first).toContainText("covered");
  await tabTo(page, first);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^Text 2 of \d+/)).toBeVisible();

  const flow = page.getByRole("listbox", { name: FLOW });
  const next = page.getByRole("region", { name: "Next token" });
  await tabTo(page, flow.locator('[tabindex="0"]'));
  await page.keyboard.press("ArrowRight");
  const focused = flow.locator(":focus");
  await expect(focused).toHaveAttribute("aria-label", /, ember-base: (same end|no match)/);
  await page.keyboard.press("ArrowRight");
  await expect(next.getByRole("row", { name: /\(it follows\)/ })).toBeVisible();
  await expect(next).toContainText(
    /The text goes on with “.+”: ember-base gives it [\d.<]+\s?[\d.]*\s%/,
  );
  await page.keyboard.press("ArrowDown");
  await expect(focused).toHaveAttribute("aria-label", /, flint-source: /);
  await takePictures(page, "fuse-alignment");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await expect(focused).toBeInViewport();
  await inBothThemes(page, (theme) => expectAccessible(page, `Fuse, alignment, ${theme}`));
  await page.getByRole("button", { name: /^same end \d+$/ }).click();
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await page.getByText("Table", { exact: true }).click();
  const table = page.getByRole("region", { name: "Alignment of ember-base and flint-source" });
  await expect(table.getByRole("row").nth(1)).toContainText("same end");

  await page.getByRole("tab", { name: "Fusion" }).click();
  await inBothThemes(page, (theme) => expectAccessible(page, `Fuse, totals, ${theme}`));
  await page.getByRole("button", { name: "Export…" }).click();
  await page.getByRole("menuitem", { name: "Parquet for FuseChat v2" }).click();
  await expect(page.getByText("ember-base from flint-source is in")).toBeVisible();
  const files = await readPrivateFolder(page, "picked");
  const [name, bytes] = [...files].find(([path]) => path.endsWith(".parquet")) ?? [];
  if (!bytes) throw new Error(`no Parquet file was written: ${[...files.keys()]}`);
  const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer, rowEnd: 1 });
  expect(Object.keys(rows[0] ?? {}), name).toContain("fused_per_step_logits");

  await goTo(page, "Runs");
  await page.getByRole("button", { name: "Open fusion" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Fuse" })).toBeVisible();
  await goTo(page, "Library");
  await page.getByRole("button", { name: "Import a file…" }).click();
  const dialog = page.getByRole("dialog", { name: "Import a fused dataset" });
  const file = { name: "again.parquet", mimeType: "", buffer: bytes };
  await dialog.locator('input[type="file"]').setInputFiles(file);
  await dialog.getByRole("combobox", { name: "Pivot" }).click();
  await page.getByRole("option", { name: "ember-base" }).click();
  await dialog.getByRole("button", { name: "Import" }).click();
  const again = page.getByRole("list", { name: "Fused datasets" }).getByRole("button", {
    name: "again",
    exact: true,
  });
  await expect(again).toBeVisible();
  await again.click();
  await page.getByRole("tab", { name: /^Documents/ }).click();
  await expect(next.getByRole("row", { name: /\(it follows\)/ })).toBeVisible();

  await goTo(page, "Library");
  for (const name of ["again", "ember-base from flint-source"]) {
    await page.getByRole("button", { name: `Actions for ${name}`, exact: true }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  }
  await expect(page.getByRole("list", { name: "Fused datasets" })).toHaveCount(0);
});

test("what stands in the way of a fusion is said before it starts, and rules can be changed", async ({
  page,
}) => {
  await openStudio(page);
  await pickFolder(page, join(SAMPLES, "ember-base"));
  await expectStored(page, "ember-base");
  await goTo(page, "Fuse");
  const missing = page.getByRole("list", { name: "What is missing" });
  await expect(missing).toContainText("Choose a source");
  await expect(missing).toContainText("Choose a dataset");
  const start = page.getByRole("button", { name: "Fuse", exact: true });
  await expect(start).toBeDisabled();
  await page.getByRole("button", { name: "Add the sample texts" }).click();
  await expect(page.getByRole("checkbox", { name: "tales.jsonl" })).toBeChecked();
  await expect(missing).not.toContainText("Choose a dataset");
  await goTo(page, "Library");
  await pickFolder(page, join(SAMPLES, "flint-source"));
  await expectStored(page, "flint-source");
  await goTo(page, "Fuse");
  await expect(page.getByRole("checkbox", { name: "flint-source" })).toBeChecked();
  await expect(missing).toHaveCount(0);
  await expect(start).toBeEnabled();

  await page.getByRole("textbox", { name: "Rows of each dataset" }).fill("5");
  await expect(page.getByText("Changed; usually 1000.")).toBeVisible();
  await page.getByRole("button", { name: "Back to the profile" }).click();
  await expect(page.getByText("Changed; usually")).toHaveCount(0);
  await page.getByRole("combobox", { name: "Pivot" }).click();
  await page.getByRole("option", { name: "flint-source" }).click();
  await expect(page.getByRole("checkbox", { name: "ember-base" })).toBeChecked();
});
