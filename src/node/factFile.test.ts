import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Facts } from "../engine/merge/method.ts";
import { planMerge } from "../engine/merge/plan/plan.ts";
import { parseRecipe } from "../engine/merge/recipe/parseRecipe.ts";
import { findMethod } from "../engine/merge/registry.ts";
import type { Measured } from "../engine/merge/run/measured.ts";
import { makeModel } from "../engine/merge/testModels.ts";
import { factsInFile } from "./factFile.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-facts-"));
});
afterEach(() => rm(folder, { recursive: true }));

const RULE = "agreement";
const IDS = ["base id", "a id", "b id"];
const { recipe } = parseRecipe(
  "merge_method: varm\nbase_model: base\nmodels: [{model: a}, {model: b}]",
);
const tensors = { one: ["F32", [4]], other: ["F32", [4]] } as const;
const plan = planMerge({
  method: findMethod(recipe.method),
  recipe,
  shardBytes: 5e9,
  checkpoints: new Map(["base", "a", "b"].map((name) => [name, makeModel(name, tensors)])),
  budget: { tileBytes: 2 ** 20, slots: 3 },
});

const EXACT: readonly Facts[] = [
  [0.1, 2 ** -1074, 0, 1.7976931348623157e308],
  [1, 2, 3, 4],
];

const measuredOf = (other: readonly Facts[]): Measured => ({
  facts: new Map([[RULE, new Map(Object.entries({ one: EXACT, other }))]]),
  cuts: new Map(),
});

/** What a later process finds of `one` and `other`. */
async function find(path: string): Promise<readonly string[]> {
  const { facts } = await factsInFile(path).load(plan, IDS);
  expect(facts.get(RULE)?.get("one")).toEqual(EXACT);
  return [...(facts.get(RULE)?.keys() ?? [])];
}

test.each([Number.NaN, Number.POSITIVE_INFINITY, -0])(
  "sums come back as they were; a tensor with %d, which JSON has not, is measured again",
  async (unlike) => {
    const path = join(folder, "facts.json");
    const other: readonly Facts[] = [
      [1, 2, unlike, 4],
      [1, 2, 3, 4],
    ];
    await factsInFile(path).save(plan, IDS, measuredOf(other));
    expect(await find(path)).toEqual(["one"]);
  },
);

test("what an earlier version wrote of a NaN is no sum", async () => {
  const path = join(folder, "facts.json");
  await factsInFile(path).save(plan, IDS, measuredOf(EXACT));
  expect(await find(path)).toEqual(["one", "other"]);
  const [head = "", tail = ""] = (await readFile(path, "utf8")).split('"other"');
  await writeFile(path, `${head}"other"${tail.replace("[1,2,3,4]", "[1,null,3,4]")}`);
  expect(await find(path)).toEqual(["one"]);
});
