import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright/test";
import { expectAccessible, inBothThemes } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { takePictures } from "./pictures.ts";
import { column } from "./playground.ts";
import {
  dropOnWindow,
  expectStored,
  goTo,
  openStudio,
  readTensorTable,
  waitForMerge,
} from "./studio.ts";
import { type Tensors, writeVariant } from "./variants.ts";

const nothing = () => undefined;
const addHead = (tensors: Tensors) => {
  for (const name of ["mtp.fc.weight", "mtp.norm.weight"]) {
    tensors.set(name, { dtype: "BF16", shape: [4, 4], bytes: new Uint8Array(32) });
  }
};
const turnMatrices = (tensors: Tensors) => {
  for (const [name, tensor] of tensors) {
    if (!name.includes("up_proj")) continue;
    tensors.set(name, { ...tensor, shape: tensor.shape.toReversed() });
  }
};

/** A base that brings code, one model with a head more, a relabelled one, one of another shape. */
function writeModels(folder: string): readonly string[] {
  const code = { auto_map: { AutoConfig: "configuration_oak.OakConfig" } };
  const base = writeVariant(folder, ["oak", "ember-base"], code, nothing);
  writeFileSync(join(base, "configuration_oak.py"), "class OakConfig: pass\n");
  const label = { architectures: ["OakForCausalLM"] };
  return [
    base,
    writeVariant(folder, ["oak-head", "ember-tales"], {}, addHead),
    writeVariant(folder, ["oak-label", "ember-drama"], label, nothing),
    writeVariant(folder, ["oak-turned", "ember-maths"], {}, turnMatrices),
  ];
}

const recipeOf = (...models: readonly string[]) =>
  [
    "# which of these helps?",
    "merge_method: ties",
    "base_model: oak",
    "models:",
    ...models.map(
      (model, i) => `- {model: ${model}, parameters: {weight: 0.${i + 3}, density: 0.5}}`,
    ),
    "",
  ].join("\n");

const yaml = (page: Page) => page.getByRole("textbox", { name: "Recipe as YAML" });
const merge = (page: Page) => page.getByRole("button", { name: "Merge", exact: true });

test("a dropped recipe is opened, and what its models do not share is decided in the plan", async ({
  page,
  folder,
}) => {
  await openStudio(page);
  await dropOnWindow(page, writeModels(folder));
  for (const name of ["oak", "oak-head", "oak-label", "oak-turned"]) {
    await expectStored(page, name);
  }
  const file = join(folder, "thinned.yaml");
  writeFileSync(file, recipeOf("oak-head", "oak-label"));
  await dropOnWindow(page, [file]);
  await expect(page.getByRole("heading", { level: 1, name: "Merge" })).toBeVisible();
  await expect(yaml(page)).toHaveValue(/^# which of these helps\?/);

  const plan = page.getByRole("region", { name: "Plan" });
  await expect(plan).toContainText("Different architectures.");
  await expect(merge(page)).toBeDisabled();
  await expect(page.getByText(/^Profile mergekit: mergekit weighs the votes/)).toBeVisible();
  await page.getByText("What the fields mean").click();
  await takePictures(page, "merge-decide", plan);
  await inBothThemes(page, (theme) => expectAccessible(page, `Merge, things to decide, ${theme}`));

  const consent = plan.getByRole("checkbox", { name: "Merge them all the same" });
  await consent.focus();
  await page.keyboard.press("Space");
  await expect(yaml(page)).toHaveValue(/^allow_architecture_mismatch: true$/m);
  await expect(merge(page)).toBeEnabled();
  await expect(consent).toBeFocused();
  await plan.getByRole("checkbox", { name: "Copy the code into the result" }).check();
  await expect(yaml(page)).toHaveValue(/^copy_code: true$/m);
  const head = plan.getByRole("radiogroup", { name: "What becomes of mtp.*.weight" });
  await expect(head.getByRole("radio", { name: "Copy" })).toBeChecked();
  await head.getByText("Leave out").click();
  await expect(yaml(page)).toHaveValue(/filter: "?mtp\.\*\.weight"?\n\s+value: leave_out/);
  await expect(head.getByRole("radio", { name: "Leave out" })).toBeChecked();

  await merge(page).click();
  await waitForMerge(page);
  await takePictures(page, "merge-done", plan);
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  for (const name of ["oak-ties", "oak"]) await expect(column(page, name)).toBeVisible();
  await goTo(page, "Library");
  const table = await readTensorTable(page, "oak-ties");
  expect(table.join("\n")).toContain("model.layers.0.mlp.up_proj.weight");
  expect(table.join("\n")).not.toContain("mtp.");
  await page.getByRole("button", { name: "oak-ties", exact: true }).click();
  await page
    .getByRole("dialog")
    .getByRole("tab", { name: /^Files/ })
    .click();
  await expect(page.getByRole("dialog")).toContainText("configuration_oak.py");
});

test("one mismatch in many tensors is one line with all of them, and forbids the merge", async ({
  page,
  folder,
}) => {
  await openStudio(page);
  await dropOnWindow(page, writeModels(folder));
  await expectStored(page, "oak-turned");
  const file = join(folder, "shapes.yaml");
  writeFileSync(file, recipeOf("oak-head", "oak-turned"));
  await dropOnWindow(page, [file]);
  const plan = page.getByRole("region", { name: "Plan" });
  const line = plan.locator(".note").filter({ hasText: "these cannot be merged" });
  await expect(line).toHaveCount(1);
  await expect(line).toContainText(/The same holds for \d+ tensors more/);
  await line.getByText(/^All \d+$/).click();
  await expect(line.getByRole("row").nth(1)).toContainText("up_proj");
  await expect(merge(page)).toBeDisabled();
  await takePictures(page, "merge-errors", plan);
  await inBothThemes(page, (theme) => expectAccessible(page, `Merge, errors, ${theme}`));

  // The recipe that is composed is not lost to another one without a question.
  writeFileSync(file, recipeOf("oak-label"));
  await dropOnWindow(page, [file]);
  const question = page.getByRole("dialog", { name: "Open this recipe?" });
  await question.getByRole("button", { name: "Keep" }).click();
  await expect(yaml(page)).toHaveValue(/oak-turned/);
  await dropOnWindow(page, [file]);
  await question.getByRole("button", { name: "Replace" }).click();
  await expect(yaml(page)).not.toHaveValue(/oak-turned/);
});

test("what is no model says what it is, and where it belongs", async ({ page, folder }) => {
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  await openStudio(page);
  await dropOnWindow(page, [write("models.zip", Buffer.from("PK\u0003\u0004"))]);
  await expect(page.getByText(/models\.zip is an archive/)).toBeVisible();
  await dropOnWindow(page, [write("llama.gguf", Buffer.from("GGUF\u0003"))]);
  await expect(page.getByText(/llama\.gguf is a GGUF file/)).toBeVisible();
  await dropOnWindow(page, [write("rows.csv", "text\nOnce upon a time\nThe end\n")]);
  const datasets = page.getByRole("list", { name: "Datasets" });
  await expect(datasets.getByRole("listitem")).toHaveCount(1);
  await expect(datasets).toContainText("rows.csv");
  await dropOnWindow(
    page,
    ["a", "b", "c"].map((name) => write(`${name}.safetensors`, "no header")),
  );
  const told = page.getByRole("alert").filter({ hasText: "None of the 3 models" });
  for (const name of ["a", "b", "c"]) await expect(told).toContainText(`${name}.safetensors`);
  await takePictures(page, "library-refusals", told);
});
