import { readFileSync } from "node:fs";
import type { Page } from "playwright/test";
import type { PipelineReport } from "../src/engine/contract/index.ts";
import { expectAccessible, inBothThemes, tabTo } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { takePictures } from "./pictures.ts";
import { goTo, openStudio } from "./studio.ts";

/** A quarter of the small pipeline, on a software GPU that others may use too. */
const PIPELINE_MS = 600_000;
const TITLE = "FuseChat ember-base-fused";
const MERGES = ["linear", "ties", "varm-matrix"] as const;
/** What the form is given: a quarter of 12 texts a dataset, 24 steps and 2,048 tokens. */
const QUARTER = [
  ["Rows of each dataset", 3],
  ["Tokens of a text", 128],
  ["Steps", 6],
  ["Tokens a step", 256],
  ["Longest sequence", 128],
  ["Read held-out texts every", 3],
  ["Evaluation tokens", 512],
] as const;

/** Sets the quarter in the form of an empty studio and presses the one button. */
async function startQuarter(page: Page): Promise<void> {
  await openStudio(page);
  await goTo(page, "Fuse");
  await page.getByRole("tab", { name: "FuseChat" }).click();
  await page.getByText("More of the training").click();
  for (const [label, value] of QUARTER) {
    await page.getByRole("textbox", { name: label, exact: true }).fill(String(value));
  }
  const merges = page.getByRole("list", { name: "Merges" });
  for (const box of await merges.getByRole("checkbox").all()) {
    const name = (await box.evaluate((node) => node.closest("li")?.textContent)) ?? "";
    if (!MERGES.some((each) => each === name)) await box.uncheck();
  }
  await page.getByRole("button", { name: "Try FuseChat with the samples" }).click();
}

/** Waits for the end and takes the report home as numbers. */
async function takeReport(page: Page): Promise<PipelineReport> {
  const done = page.getByRole("status").filter({ hasText: `${TITLE}: done.` });
  const failed = page.getByRole("alert").filter({ hasText: TITLE });
  await expect(done.or(failed)).toBeVisible({ timeout: PIPELINE_MS });
  await expect(failed).toHaveCount(0);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as JSON" }).click();
  const text = readFileSync(await (await download).path(), "utf8");
  return JSON.parse(text) as PipelineReport;
}

/** The browser forgets everything of this page, as in a profile that never saw it. */
async function forgetEverything(page: Page, origin: string): Promise<void> {
  await page.goto("about:blank");
  const browser = await page.context().newCDPSession(page);
  await browser.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" });
  await browser.detach();
}

test("a quarter of the small pipeline, reloaded in the middle, ends as one that was left alone", {
  tag: "@long",
}, async ({ page, baseURL }) => {
  test.setTimeout(2 * PIPELINE_MS + 120_000);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await startQuarter(page);
  const pipeline = page.getByRole("list", { name: "Pipeline" });
  const bar = page.getByRole("progressbar", { name: TITLE });
  await expect(bar).toBeVisible({ timeout: 60_000 });
  const learning = page.getByText(/^Learn from slate-source: step [2-5] of 6/);
  await expect(learning).toBeVisible({ timeout: PIPELINE_MS });
  const facts = page.getByRole("region", { name: "Learn from slate-source" });
  await expect(facts).toContainText(/Step[1-5] of 6/);
  await expect(page.getByRole("img", { name: /^Loss, nats a token/ })).toBeVisible();
  await expectAccessible(page, "FuseChat, running");
  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(page.getByText("Looking for a GPU…")).toBeHidden();

  await goTo(page, "Runs");
  const row = page.getByRole("listitem").filter({ hasText: TITLE });
  await expect(row).toContainText("interrupted");
  await row.getByRole("button", { name: "Show" }).click();
  const stopped = pipeline.getByRole("listitem").filter({ hasText: /^‖?Learn from slate-source/ });
  await expect(stopped).toContainText("stopped");
  await expect(pipeline.getByRole("button", { name: "Learn from flint-source" })).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  const report = await takeReport(page);

  const names = ["flint-source", "slate-source", "plain", ...MERGES];
  expect(report.models.map(({ name }) => name)).toEqual([
    "ember-base",
    "flint-source",
    "slate-source",
    ...names.map((name) => `ember-base-fused-${name}`),
  ]);
  for (const { cell } of report.models) expect(cell.bitsPerByte).toBeGreaterThan(0.5);
  for (const { points, heldOutBefore } of report.curves) {
    expect(points.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(points.at(-1)?.heldOut).toBeLessThan(heldOutBefore ?? 0);
  }
  await lookAround(page);

  await forgetEverything(page, new URL(baseURL as string).origin);
  await startQuarter(page);
  const { createdAt: _, ...undisturbed } = await takeReport(page);
  const { createdAt: __, ...interrupted } = report;
  expect(interrupted).toEqual(undisturbed);
});

/** The report by eye, by keyboard and by screen reader, and the ways out of it. */
async function lookAround(page: Page): Promise<void> {
  const table = page.getByRole("region", { name: "Bits per byte by model" });
  await expect(table.getByRole("row")).toHaveCount(10);
  const view = page.getByRole("region", { name: "FuseChat", exact: true });
  await view.getByText("Held out", { exact: true }).click();
  await page.getByText("The numbers").click();
  const numbers = page.getByRole("region", { name: "Held-out texts as numbers" });
  await expect(numbers.getByRole("rowheader")).toHaveText(["0", "3", "6"]);
  await takePictures(page, "fusechat-report");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await inBothThemes(page, (theme) => expectAccessible(page, `FuseChat, report, ${theme}`));

  const map = page.getByRole("grid", { name: /^Weights of ember-base-fused-varm-matrix/ });
  await tabTo(page, map.locator('[tabindex="0"]'));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(
    page.getByText(/^Layer 0 · q: flint-source 0\.\d+, slate-source 0\.\d+/),
  ).toBeVisible();

  await page.getByRole("button", { name: "Actions for ember-base-fused-varm-matrix" }).click();
  await page.getByRole("menuitem", { name: "Open in Merge" }).click();
  const recipe = page.getByRole("textbox", { name: "Recipe as YAML" });
  await expect(recipe).toHaveValue(/^merge_method: varm$/m);
  await page.goBack();
  await page.getByRole("button", { name: "Fuse flint-source" }).click();
  const first = page.getByRole("listbox", { name: "Documents" }).getByRole("option").first();
  await expect(first).toContainText("covered");
  await page.getByRole("tab", { name: "FuseChat" }).click();
  await expect(table).toBeVisible();
}
