import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectAccessible } from "./axe.ts";
import { expect, test } from "./browser.ts";
import { readTensors, type Tensor, writeTensors } from "./checkpoints.ts";
import {
  chooseVerb,
  dropOnWindow,
  expectStored,
  exportFromLibrary,
  goTo,
  modelRow,
  openStudio,
  pickFolder,
  SAMPLES,
  standInForPicker,
  waitForMerge,
} from "./studio.ts";

const RANK = 2;
const ALPHA = 6;
const MATRIX = "model.layers.3.self_attn.q_proj.weight"; // 128 × 128 in the samples

const f32 = (shape: readonly number[], value: (at: number) => number): Tensor => {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, at) => value(at));
  return { dtype: "F32", shape, bytes: new Uint8Array(values.buffer) };
};
/** The factors of the adapters: whole numbers over powers of two, so that sums are exact. */
const aOf = (size: number) => f32([RANK, 128], (at) => (size * ((at % 7) - 3)) / 64);
const B = f32([128, RANK], (at) => ((at % 5) - 2) / 32);

/** A PEFT folder that changes one matrix of the samples. */
function writeAdapter(folder: string, name: string, size: number): string {
  const path = join(folder, name);
  mkdirSync(path);
  const config = { peft_type: "LORA", r: RANK, lora_alpha: ALPHA, target_modules: ["q_proj"] };
  const base = { base_model_name_or_path: "fusestudio/ember-base" };
  writeFileSync(join(path, "adapter_config.json"), JSON.stringify({ ...config, ...base }));
  const stem = "base_model.model.model.layers.3.self_attn.q_proj";
  const tensors = new Map([
    [`${stem}.lora_A.weight`, aOf(size)],
    [`${stem}.lora_B.weight`, B],
  ]);
  writeFileSync(join(path, "adapter_model.safetensors"), writeTensors(tensors));
  return path;
}

const numbers = ({ bytes, dtype }: Tensor): Float32Array => {
  const copy = Uint8Array.from(bytes); // a slice of a Buffer is none
  if (dtype === "F32") return new Float32Array(copy.buffer);
  return new Float32Array(
    Uint32Array.from(new Uint16Array(copy.buffer), (half) => half << 16).buffer,
  );
};

/** W + alpha/rank · B · A of a 128 × 128 matrix, in float64. */
function applied(w: Float32Array, a: Float32Array): Float64Array {
  const b = numbers(B);
  return Float64Array.from(w, (value, at) => {
    const [row, column] = [Math.floor(at / 128), at % 128];
    let sum = 0;
    for (let k = 0; k < RANK; k++) sum += b[row * RANK + k]! * a[k * 128 + column]!;
    return value + (ALPHA / RANK) * sum;
  });
}

const sample = (name: string) =>
  numbers(readTensors(readFileSync(join(SAMPLES, name, "model.safetensors"))).get(MATRIX)!);

test("an adapter dropped on its base is merged with another model, by keyboard", async ({
  page,
  folder,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  await pickFolder(page, join(SAMPLES, "ember-base"));
  await pickFolder(page, join(SAMPLES, "ember-tales"));
  await expectStored(page, "ember-base");
  await expectStored(page, "ember-tales");
  await dropOnWindow(page, [writeAdapter(folder, "spice", 1)]);
  await expectStored(page, "spice");
  await expect(
    modelRow(page, "spice").getByText("It can be chosen as ember-base+spice."),
  ).toBeVisible();
  await expect(modelRow(page, "ember-base+spice")).toHaveCount(0); // it is no model of its own

  await goTo(page, "Merge");
  for (const name of ["ember-base+spice", "ember-tales"]) {
    await page.getByRole("button", { name: /^Add a model/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name, exact: true }).focus();
    await page.keyboard.press("Enter");
  }
  const recipe = page.getByRole("textbox", { name: "Recipe as YAML" });
  await expect(recipe).toHaveValue(/model: ember-base\+spice/);
  await recipe.fill(
    "merge_method: linear\nmodels:\n  - model: ember-base+spice\n    parameters: {weight: 0.5}\n  - model: ember-tales\n    parameters: {weight: 0.5}\ndtype: float32\n",
  );
  const merge = page.getByRole("button", { name: "Merge", exact: true });
  await expect(page.getByText(/^The two models share evenly/)).toBeVisible(); // it is planned
  await expect(merge).toBeEnabled();
  await merge.focus();
  await page.keyboard.press("Enter");
  await waitForMerge(page);

  await goTo(page, "Library");
  await expectStored(page, "ember-linear");
  const files = await exportFromLibrary(page, "ember-linear");
  const written = numbers(readTensors(files.get("model.safetensors")!).get(MATRIX)!);
  const [base, tales] = [applied(sample("ember-base"), numbers(aOf(1))), sample("ember-tales")];
  // The base is bf16, and so is the base with its adapter: rounded once, by 2^-9 of itself at most.
  const isFar = (value: number, at: number) =>
    Math.abs(value - (base[at]! + tales[at]!) / 2) > Math.abs(base[at]!) * 2 ** -9 + 1e-7;
  expect(written).toHaveLength(128 * 128);
  expect(written.filter(isFar)).toHaveLength(0);
});

test("two adapters merge into one, which stands behind the base like them", async ({
  page,
  folder,
}) => {
  await standInForPicker(page);
  await openStudio(page);
  await pickFolder(page, join(SAMPLES, "ember-base"));
  await dropOnWindow(page, [
    writeAdapter(folder, "spice-a", 1),
    writeAdapter(folder, "spice-b", 2),
  ]);
  for (const name of ["ember-base", "spice-a", "spice-b"]) await expectStored(page, name);
  for (const name of ["spice-a", "spice-b"]) {
    await page.getByRole("checkbox", { name: `Select ${name}`, exact: true }).check();
  }
  await page.getByRole("button", { name: "Merge these" }).last().click();
  const dialog = page.getByRole("dialog", { name: "Merge these adapters" });
  await dialog.getByLabel("Weight of spice-b").fill("0.5");
  await expectAccessible(page, "the dialog");
  await dialog.getByRole("button", { name: "Merge", exact: true }).click();
  await expectStored(page, "spice-merged");
  const files = await exportFromLibrary(page, "spice-merged");
  const { r, lora_alpha } = JSON.parse(files.get("adapter_config.json")!.toString());
  expect([r, lora_alpha]).toEqual([2 * RANK, 2 * ALPHA]);
  const tensors = readTensors(files.get("adapter_model.safetensors")!);
  const a = numbers([...tensors].find(([key]) => key.endsWith("lora_A.weight"))![1]);
  const halves = [numbers(aOf(1)), numbers(aOf(2)).map((value) => value / 2)];
  // Which comes first is the order of the library.
  expect([...a].sort()).toEqual(halves.flatMap((half) => [...half]).sort());
  await chooseVerb(page, "spice-merged", "What is inside…");
  const inside = page.getByRole("dialog", { name: "spice-merged" });
  await expect(inside.getByText(/LoRA of rank 4 on 1 module/)).toBeVisible();
});
