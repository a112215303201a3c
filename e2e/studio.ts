import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { expect, type Page } from "playwright/test";
import { tabTo } from "./axe.ts";

const ROOT = join(import.meta.dirname, "..");
/** Where the sample models lie in the repository. */
export const SAMPLES = join(ROOT, "public", "samples");
export const SAMPLE_NAMES = ["ember-base", "ember-tales", "ember-drama", "ember-maths"] as const;

/** A software GPU on a busy machine: long enough for a merge of the samples. */
export const MERGE_MS = 60_000;

/** Opens the page and waits until it knows what it runs on. */
export async function openStudio(page: Page, path = ""): Promise<void> {
  await page.goto(path);
  await expect(page.getByText("Looking for a GPU…")).toBeHidden();
  await expect(page.getByRole("navigation", { name: "Screens" })).toBeVisible();
}

/** Goes to a screen by the rail. */
export async function goTo(
  page: Page,
  screen: "Library" | "Merge" | "Fuse" | "Playground" | "Runs",
): Promise<void> {
  await page
    .getByRole("navigation", { name: "Screens" })
    .getByRole("link", { name: screen })
    .click();
  await expect(page.getByRole("heading", { level: 1, name: screen })).toBeVisible();
}

/** Presses "Try it with the sample models" and waits for the merged model. */
export async function trySamples(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Try it with the sample models" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Merge" })).toBeVisible();
  await waitForMerge(page);
}

/** Waits on the Merge screen until its merge is done. */
export async function waitForMerge(page: Page): Promise<void> {
  await expect(page.getByRole("status").filter({ hasText: /^Merge .*: done\./ })).toBeVisible({
    timeout: MERGE_MS,
  });
}

/** Waits until a progress bar is past a percentage; it fails if the work was too fast for that. */
export async function waitForProgress(page: Page, title: RegExp, percent: number): Promise<void> {
  const bar = page.getByRole("progressbar", { name: title });
  const passed = async () => Number((await bar.getAttribute("aria-valuenow")) ?? 0);
  await expect.poll(passed, { timeout: MERGE_MS, intervals: [20] }).toBeGreaterThan(percent);
}

/** The library's row of a model. */
export function modelRow(page: Page, name: string) {
  return page
    .getByRole("list", { name: "Models" })
    .getByRole("listitem")
    .filter({ has: page.getByRole("button", { name, exact: true }) });
}

/** Waits until a model is in the library with all its bytes. */
export async function expectStored(page: Page, name: string, timeout = 20_000): Promise<void> {
  const row = modelRow(page, name);
  await expect(row).toBeVisible({ timeout });
  await expect(row.getByText("Not finished")).toHaveCount(0, { timeout });
}

/** Picks something from the menu of a model's row. */
export async function chooseVerb(page: Page, model: string, verb: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${model}`, exact: true }).click();
  await page.getByRole("menuitem", { name: verb }).click();
}

/** Exports a model from the library into the stand-in for a picked folder, and reads it back. */
export async function exportFromLibrary(
  page: Page,
  model: string,
): Promise<ReadonlyMap<string, Buffer>> {
  await chooseVerb(page, model, "Export…");
  const notice = page.getByText("ready for transformers");
  await expect(notice).toBeVisible({ timeout: 30_000 });
  await page.getByRole("button", { name: "Dismiss" }).last().click();
  await expect(notice).toBeHidden();
  return readPrivateFolder(page, `picked/${model}`);
}

/** Exports the model that was merged last from its screen by the keyboard, into a folder on disk. */
export async function exportMerged(page: Page, name: string, folder: string): Promise<string> {
  await tabTo(page, page.getByRole("button", { name: "Export…" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText("ready for transformers")).toBeVisible({ timeout: 30_000 });
  const out = join(folder, `exported ${name}`);
  mkdirSync(out);
  for (const [path, bytes] of await readPrivateFolder(page, `picked/${name}`)) {
    writeFileSync(join(out, path), bytes);
  }
  return out;
}

/** Gives a folder on disk to the page's folder input, as its picker would. */
export async function pickFolder(page: Page, folder: string): Promise<void> {
  await page.getByLabel("Choose a model folder").setInputFiles(folder);
}

/** Gives files on disk to the page's file input. */
export async function pickFiles(page: Page, files: readonly string[]): Promise<void> {
  await page.getByLabel("Choose model files").setInputFiles([...files]);
}

/** Drops files and folders of the disk on the middle of the window, through the browser's own drag. */
export async function dropOnWindow(page: Page, paths: readonly string[]): Promise<void> {
  const browser = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  const send = (type: "dragEnter" | "dragOver" | "drop" | "dragCancel") =>
    browser.send("Input.dispatchDragEvent", { type, x: 700, y: 450, data });
  const veil = page.getByText("Drop to import");
  // A page that is busy has not yet said what it would do with a drop when that comes, and the browser
  // keeps it to itself: a hand would try again.
  await expect(async () => {
    await send("dragEnter");
    for (let i = 0; i < 3; i++) {
      await send("dragOver");
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
    await expect(veil).toBeVisible();
    await send("drop");
    const isTaken = await veil.waitFor({ state: "hidden", timeout: 3000 }).then(
      () => true,
      () => false,
    );
    if (!isTaken) await send("dragCancel");
    expect(isTaken).toBe(true);
  }).toPass();
  await browser.detach();
}

/** The names, shapes, dtypes and sizes in the table of a model, and what stands above it. */
export async function readTensorTable(page: Page, model: string): Promise<readonly string[]> {
  await page.getByRole("button", { name: model, exact: true }).click();
  const drawer = page.getByRole("dialog", { name: model });
  const rows = drawer.getByRole("row");
  await expect(rows.nth(1)).toBeVisible();
  const texts = await rows.allInnerTexts();
  const count = await drawer.getByRole("tab", { name: /^Tensors/ }).allInnerTexts();
  await drawer.getByRole("button", { name: "Close" }).click();
  await expect(drawer).toBeHidden();
  return [...texts, ...count];
}

/** From now on the folder picker answers with a folder of the origin's private file system. */
export async function standInForPicker(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Object.assign(window, {
      showDirectoryPicker: async () =>
        (await navigator.storage.getDirectory()).getDirectoryHandle("picked", { create: true }),
    });
  });
}

/** From now on the browser has no folder picker, as Firefox and Safari have none. */
export async function takePickerAway(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Reflect.deleteProperty(window, "showDirectoryPicker");
  });
}

/** Every file under a folder of the origin's private file system, by its path. */
export async function readPrivateFolder(
  page: Page,
  path: string,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = await page.evaluate(async (wanted) => {
    const found: [string, string][] = [];
    const encode = async (blob: Blob) => {
      const url = await new Promise<string>((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(String(reader.result));
        reader.onerror = () => reject(reader.error);
        reader.readAsDataURL(blob);
      });
      return url.slice(url.indexOf(",") + 1);
    };
    const walk = async (folder: FileSystemDirectoryHandle, prefix: string) => {
      for await (const handle of folder.values()) {
        const name = `${prefix}${handle.name}`;
        if (handle instanceof FileSystemDirectoryHandle) await walk(handle, `${name}/`);
        else {
          const file = await (handle as FileSystemFileHandle).getFile();
          found.push([name, file.size === 0 ? "" : await encode(file)]);
        }
      }
    };
    let folder = await navigator.storage.getDirectory();
    for (const part of wanted.split("/")) {
      const next = await folder.getDirectoryHandle(part).catch(() => null);
      if (!next) return [];
      folder = next;
    }
    await walk(folder, "");
    return found;
  }, path);
  return new Map(files.map(([name, base64]) => [name, Buffer.from(base64, "base64")]));
}

/** Runs `studio merge` on checkpoint folders, named in the recipe as they are named on disk. */
export async function mergeInTerminal(
  folder: string,
  recipe: string,
  models: readonly string[],
): Promise<string> {
  for (const model of models) symlinkSync(model, join(folder, basename(model)), "junction");
  const path = join(folder, "recipe.yaml");
  writeFileSync(path, recipe);
  const out = join(folder, "out");
  const studio = join(ROOT, "bin", "studio.mjs");
  await promisify(execFile)(process.execPath, [studio, "merge", path, out, "--json"]);
  return out;
}
