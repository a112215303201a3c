import { expect, test } from "vitest";
import { type Checkpoint, readTensor } from "../../checkpoint/checkpoint.ts";
import { parseConfig } from "../../checkpoint/config.ts";
import type { OutputDType } from "../../contract/index.ts";
import { toF32 } from "../../core/tensor/convert.ts";
import { parseRecipe } from "../recipe/parseRecipe.ts";
import { checkpointOf } from "../testCheckpoints.ts";
import { prepareMerge } from "./prepare.ts";

const EMBED = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";
const WIDTH = 3;
const ROWS = 6;

/** Value of a row: the model's number and the row, so that each row tells where it is from. */
const rowValue = (model: number, row: number) => model + row / 16;

/** A model whose rows are all its own value, but for some without numbers. */
function makeModel(
  model: number,
  bad: Readonly<Record<string, readonly number[]>>,
  dtype: OutputDType = "F32",
): Checkpoint {
  const values = (tensor: string) =>
    Float32Array.from({ length: ROWS * WIDTH }, (_, i) => {
      const row = Math.floor(i / WIDTH);
      const isBad = bad[tensor]?.includes(row) && i % WIDTH === 1;
      return isBad ? Number.NaN : rowValue(model, row);
    });
  const shape = [ROWS, WIDTH];
  const tensors = [EMBED, HEAD].map((name) => [name, { shape, values: values(name), dtype }]);
  return checkpointOf(String(model), Object.fromEntries(tensors));
}

function prepare(models: readonly Checkpoint[], more = "", head = "merge_method: linear") {
  const listed = models.map(({ name }) => `- {model: "${name}", parameters: {weight: 1}}`);
  const recipe = parseRecipe([head, "models:", ...listed, more].join("\n")).recipe;
  const open = async (name: string) => models.find((model) => model.name === name)!;
  return prepareMerge(recipe, { open, shardBytes: 5e9 });
}

test("rows without numbers are an error that says which, where, and who has them", async () => {
  const { card } = await prepare([makeModel(1, {}), makeModel(2, { [EMBED]: [3, 4] })]);
  expect(card.runnable).toBe(false);
  const errors = card.findings.filter(({ severity }) => severity === "error");
  expect(errors).toMatchObject([
    { code: "nonfinite", model: "2", tensor: EMBED, setting: "fill_nan_rows" },
  ]);
  expect(errors[0]!.message).toContain(`Rows 3 to 4 of "${EMBED}" in "2"`);
  expect(errors[0]!.message).toContain("element 10, row 3 and column 1, is NaN");
  expect(errors[0]!.message).toContain('"fill_nan_rows: true" in the recipe reads them from "1"');
});

test("rows that nobody has are an error whatever the recipe says", async () => {
  const models = [makeModel(1, { [HEAD]: [5] }), makeModel(2, { [HEAD]: [2, 5] })];
  const { card } = await prepare(models, "fill_nan_rows: true");
  const said = card.findings.filter(({ tensor }) => tensor === HEAD);
  expect(said.map(({ severity, model }) => `${severity} ${model}`)).toEqual([
    "error 1",
    "error 2",
    "note 2",
  ]);
  expect(said[0]!.message).toContain("no other model has numbers");
});

test("each model reads its rows from the base, or else from the first that has numbers", async () => {
  const models = [
    makeModel(0, { [EMBED]: [1, 5], [HEAD]: [] }),
    makeModel(1, { [EMBED]: [1, 2] }, "BF16"),
    makeModel(2, { [EMBED]: [3, 5] }, "F16"),
  ];
  const head = 'merge_method: task_arithmetic\nbase_model: "0"';
  const plan = await prepare(models, "fill_nan_rows: true", head);
  expect(plan.card.runnable).toBe(true);
  const output = plan.outputs.find(({ name }) => name === EMBED)!;
  // Rows 1 and 5 of the base come from models 2 and 1; rows of the models from the base first.
  const wanted = [
    [0, 2, 0, 0, 0, 1],
    [1, 2, 0, 1, 1, 1],
    [2, 2, 2, 0, 2, 1],
  ];
  for (const [m, tensor] of [output.base!, ...output.models].entries()) {
    const values = toF32(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);
    const rows = wanted[m]!.flatMap((from, row) => Array(WIDTH).fill(rowValue(from, row)));
    expect([...values]).toEqual(rows);
  }
});

test("a piece of a row is read as the same row read as a whole", async () => {
  const models = [makeModel(1, {}), makeModel(2, { [EMBED]: [3] }, "BF16")];
  const plan = await prepare(models, "fill_nan_rows: true");
  const tensor = plan.outputs.find(({ name }) => name === EMBED)!.models[1]!;
  const whole = await readTensor(tensor, 0, tensor.byteLength);
  for (let start = 0; start < tensor.byteLength; start += 2) {
    for (let end = start; end <= tensor.byteLength; end += 2) {
      expect(await readTensor(tensor, start, end - start)).toEqual(whole.slice(start, end));
    }
  }
});

test("rows behind those that are merged are nobody's concern", async () => {
  const short = checkpointOf("short", {
    [EMBED]: { shape: [2, WIDTH], values: new Float32Array(2 * WIDTH) },
  });
  const { card } = await prepare([short, makeModel(2, { [EMBED]: [4] })]);
  expect(card.findings.filter(({ code }) => code === "nonfinite")).toEqual([]);
});

test("a tensor that is copied keeps its rows as they are", async () => {
  const [one, two] = [makeModel(1, { [HEAD]: [4] }), makeModel(2, {})];
  const tensors = new Map([...two.tensors].filter(([name]) => name !== HEAD));
  const config = parseConfig('{"tie_word_embeddings": false}', "config.json");
  const { card } = await prepare([one, { ...two, tensors, config }]);
  expect(card.findings.filter(({ code }) => code === "nonfinite")).toEqual([]);
});
