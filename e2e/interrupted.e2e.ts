import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright/test";
import { expect, test } from "./browser.ts";
import { sha256, writeFamily } from "./checkpoints.ts";
import {
  expectStored,
  exportFromLibrary,
  goTo,
  MERGE_MS,
  mergeInTerminal,
  modelRow,
  openStudio,
  pickFolder,
  standInForPicker,
  waitForMerge,
  waitForProgress,
} from "./studio.ts";

/** One of 118 MB, eight of the pieces that are stored: an import of a second or two. */
const LARGE = { layers: 32, hidden: 512 };
/** Three of 60 MB: a merge of many seconds, so that it is under way when the page is reloaded. */
const MIDDLE = { layers: 16, hidden: 512 };
const NAMES = ["middle", "middle-a", "middle-b"] as const;

/** Reloads although work is going on: the browser asks, the person says yes. */
async function reload(page: Page): Promise<void> {
  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await expect(page.getByText("Looking for a GPU…")).toBeHidden();
}

/** The bytes that a row says are stored of a model that is not finished, in MB. */
async function storedMegabytes(page: Page, name: string): Promise<number> {
  const text = await modelRow(page, name).getByText("Not finished").textContent();
  return Number(/(\d+(?:\.\d)?)(?:\sMB)? of/.exec(text ?? "")?.[1] ?? 0);
}

/** Imports three models and composes their merge, up to the button that starts it. */
async function composeMerge(page: Page, folder: string) {
  const family = join(folder, "family");
  const folders = writeFamily(family, NAMES, MIDDLE);
  await standInForPicker(page);
  await openStudio(page);
  await pickFolder(page, family);
  for (const name of NAMES) await expectStored(page, name, MERGE_MS);
  await page.getByRole("status").getByRole("button", { name: "Merge these" }).click();
  const recipe = page.getByRole("textbox", { name: "Recipe as YAML" });
  await expect(recipe).toHaveValue(/^base_model: middle$/m);
  return { folders, yaml: await recipe.inputValue() };
}

/** Asserts that the merge in the library has the bytes of one that ran through in the terminal. */
async function expectUndisturbed(
  page: Page,
  folder: string,
  { folders, yaml }: { readonly folders: readonly string[]; readonly yaml: string },
): Promise<void> {
  await goTo(page, "Library");
  await expectStored(page, "middle-varm");
  const files = await exportFromLibrary(page, "middle-varm");
  mkdirSync(join(folder, "terminal"));
  const out = await mergeInTerminal(join(folder, "terminal"), yaml, folders);
  const undisturbed = sha256(readFileSync(join(out, "model.safetensors")));
  expect(sha256(files.get("model.safetensors") ?? "")).toBe(undisturbed);
}

test("an import that a reload interrupts goes on with the same files, not from the start", async ({
  page,
  folder,
}) => {
  const [large = ""] = writeFamily(folder, ["large"], LARGE);
  await standInForPicker(page);
  await openStudio(page);
  await pickFolder(page, large);
  await waitForProgress(page, /^Import/, 30);
  await reload(page);

  const stored = await storedMegabytes(page, "large");
  expect(stored).toBeGreaterThanOrEqual(16);
  await goTo(page, "Runs");
  const run = page.getByRole("listitem").filter({ hasText: "Import large" });
  await expect(run).toContainText("interrupted");
  await expect(run).toContainText("Drop the same files again");
  await goTo(page, "Library");
  await pickFolder(page, large);
  await expectStored(page, "large", MERGE_MS);
  const note = page.getByRole("list", { name: "Imports" }).getByText("large: went on after");
  const [, megabytes] = /after the (\S+) MB/.exec((await note.textContent()) ?? "") ?? [];
  expect(Math.abs(Number(megabytes) - stored)).toBeLessThanOrEqual(0.5);
  await expect(page.getByRole("list", { name: "Models" }).getByRole("listitem")).toHaveCount(1);

  const files = await exportFromLibrary(page, "large");
  const own = readFileSync(join(large, "model.safetensors"));
  expect(sha256(files.get("model.safetensors") ?? "")).toBe(sha256(own));
});

test("a merge that a reload interrupts is resumed and ends as one that was left alone", async ({
  page,
  folder,
}) => {
  test.setTimeout(240_000);
  const merge = await composeMerge(page, folder);
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await waitForProgress(page, /^Merge/, 60);
  await reload(page);

  await goTo(page, "Library");
  expect(await storedMegabytes(page, "middle-varm")).toBeGreaterThan(0);
  await expect(modelRow(page, "middle-varm")).toContainText("Resume it under Runs.");
  await goTo(page, "Runs");
  const run = page.getByRole("listitem").filter({ hasText: "Merge middle-varm" });
  await expect(run).toContainText("interrupted");
  await run.getByRole("button", { name: "Open recipe" }).click();
  await page.getByRole("button", { name: "Resume" }).click();
  await waitForMerge(page);
  await expectUndisturbed(page, folder, merge);
});

test("a merge whose GPU process dies goes on by itself and ends as one that was left alone", async ({
  page,
  context,
  folder,
}) => {
  test.setTimeout(240_000);
  const merge = await composeMerge(page, folder);
  // A device of the page's own tells that the process really died; one that nobody holds is collected
  // and tells nothing.
  await page.evaluate(async () => {
    const device = await (await navigator.gpu.requestAdapter())?.requestDevice();
    Object.assign(window, { heldDevice: device });
    void device?.lost.then(() => document.body.setAttribute("data-lost", ""));
  });
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await waitForProgress(page, /^Merge/, 60);
  const browser = await context.newCDPSession(page);
  await browser.send("Browser.crashGpuProcess");
  await expect(page.getByRole("progressbar", { name: /^Merge/ })).toBeVisible();
  await expect(page.locator("body[data-lost]")).toHaveCount(1);
  await waitForMerge(page);
  await expectUndisturbed(page, folder, merge);
});
