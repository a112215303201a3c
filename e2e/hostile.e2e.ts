import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Page } from "playwright/test";
import { hasTestData, testDataPath } from "../src/node/testdata.ts";
import { expect, test } from "./browser.ts";
import { sha256 } from "./checkpoints.ts";
import {
  dropOnWindow,
  expectStored,
  exportFromLibrary,
  openStudio,
  pickFiles,
  readTensorTable,
  SAMPLES,
  standInForPicker,
} from "./studio.ts";

/** Which code each file of the public collection is refused with, by what is wrong in its bytes. */
const REFUSALS = {
  abuse_attempt_1: "truncated",
  abuse_attempt_3_small: "bad-offsets",
  header_too_large: "bad-header",
  header_too_small: "truncated",
  invalid_header_length: "truncated",
  invalid_header_non_utf8: "bad-header",
  invalid_header_not_json: "bad-header",
  invalid_info: "bad-shape",
  json_attack: "bad-offsets",
  metadata_incomplete_buffer: "bad-offsets",
  metadata_incomplete_buffer_2: "truncated",
  validation_overflow: "bad-shape",
  validation_overflow_2: "bad-shape",
} as const;

/** The line that tells how an import ended badly. */
function refusal(page: Page, title: string) {
  return page.getByRole("list", { name: "Imports" }).getByRole("alert").filter({ hasText: title });
}

test("hostile files are refused by name, and what is stored stays as it was", async ({ page }) => {
  // The zoo is not part of the project: it is where FUSESTUDIO_TESTDATA says, or nowhere.
  test.skip(!hasTestData, "NOT RUN: no test data");
  const folder = testDataPath("zoo", "fixtures", "safetensors_hostile");
  const files = readdirSync(folder).sort();
  expect(files).toEqual(Object.keys(REFUSALS).map((name) => `${name}.safetensors`));

  await standInForPicker(page);
  await openStudio(page);
  await dropOnWindow(page, [join(SAMPLES, "ember-base")]);
  await expectStored(page, "ember-base");
  const before = await readTensorTable(page, "ember-base");

  for (const [name, code] of Object.entries(REFUSALS)) {
    await dropOnWindow(page, [join(folder, `${name}.safetensors`)]);
    const told = refusal(page, `Import ${name} failed.`);
    await expect(told).toContainText(`${name}.safetensors`);
    await expect(told).toContainText(code);
  }
  await dropOnWindow(page, [
    ...files.map((name) => join(folder, name)),
    join(SAMPLES, "ember-tales"),
  ]);
  await expectStored(page, "ember-tales");
  const imports = page.getByRole("list", { name: "Imports" });
  for (const [name, code] of Object.entries(REFUSALS)) {
    await expect(imports.getByText(`${name} was left out (${code})`)).toBeVisible();
  }

  await expect(page.getByRole("list", { name: "Models" }).getByRole("listitem")).toHaveCount(2);
  expect(await readTensorTable(page, "ember-base")).toEqual(before);
  const exported = await exportFromLibrary(page, "ember-base");
  const own = readFileSync(join(SAMPLES, "ember-base", "model.safetensors"));
  expect(sha256(exported.get("model.safetensors") ?? "")).toBe(sha256(own));
});

test("folders of Git-LFS pointers say how to fetch the files", async ({ page }) => {
  // The zoo is not part of the project: it is where FUSESTUDIO_TESTDATA says, or nowhere.
  test.skip(!hasTestData, "NOT RUN: no test data");
  await openStudio(page);
  for (const name of ["llama2-7b-chat", "phi3-slerp"]) {
    const folder = testDataPath("zoo", "fixtures", "hub_layouts", name);
    await dropOnWindow(page, [folder]);
    const told = refusal(page, `Import ${basename(folder)} failed.`);
    await expect(told).toContainText("git lfs pull");
    await expect(told).toContainText("lfs-pointer");
  }
  await expect(page.getByRole("list", { name: "Models" })).toHaveCount(0);
});

test("a pickle says how to convert it, and a text says that there is no model", async ({
  page,
  folder,
}) => {
  await openStudio(page);
  // Protocol 2, an empty dictionary: what torch.save writes begins like this inside its archive.
  const pickle = join(folder, "pytorch_model.bin");
  writeFileSync(pickle, Buffer.from([0x80, 2, 0x7d, 0x2e]));
  await dropOnWindow(page, [pickle]);
  const told = refusal(page, "Import pytorch_model failed.");
  await expect(told).toContainText("safetensors");
  await expect(told).toContainText("save_file");
  await expect(told).toContainText("pickle");

  const text = join(folder, "notes.md");
  writeFileSync(text, "nothing");
  await pickFiles(page, [text]);
  await expect(page.getByText("No format that is read claims this file")).toBeVisible();
});
