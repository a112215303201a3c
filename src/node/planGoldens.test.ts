import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { EngineError } from "../engine/contract/index.ts";
import { readAll } from "../engine/core/bytes.ts";
import { prepareMerge, requireRunnable } from "../engine/merge/plan/prepare.ts";
import { parseRecipe } from "../engine/merge/recipe/parseRecipe.ts";
import { methods } from "../engine/merge/registry.ts";
import { makeDocuments } from "../engine/merge/run/sideFiles.ts";
import { type OpenFiles, openFiles } from "./files.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

interface Case {
  readonly id: string;
  readonly yaml: string;
  readonly error?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Python writes NaN and Infinity, which JSON does not know; no plan needs them. */
const readManifest = () =>
  readFileSync(testDataPath("goldens", "manifest.json"), "utf8").replace(
    /([:,[]\s*)(?:NaN|-?Infinity)\b/g,
    "$1null",
  );
const cases: readonly Case[] = hasTestData ? JSON.parse(readManifest()).e2e.cases : [];
const isSupported = ({ yaml }: Case) =>
  methods.has(/(?:^|\n)merge_method: (\S+)/.exec(yaml)?.[1] ?? "") &&
  /(?:^|\n)models:/.test(yaml) &&
  !/(?:^|\n)tokenizer/.test(yaml);

/** Plans a case over the checkpoints that come with it, and compares with what mergekit wrote. */
async function comparePlan({ id, yaml, config }: Case): Promise<void> {
  const opened: OpenFiles[] = [];
  const open = async (...path: readonly string[]) => {
    const files = await openFiles(testDataPath("goldens", ...path));
    opened.push(files);
    return openCheckpoint(files.files, path.at(-1)!);
  };
  try {
    const plan = await prepareMerge(parseRecipe(yaml).recipe, {
      open: (model) => open("e2e", "models", model),
      shardBytes: 5e9,
    });
    requireRunnable(plan);
    const written = await open(id);
    const mine = plan.outputs.map(({ name, shape, dtype }) => [name, shape, dtype]);
    const theirs = [...written.tensors.values()].map(({ name, shape, dtype }) => [
      name,
      shape,
      dtype,
    ]);
    const byName = (a: readonly unknown[], b: readonly unknown[]) =>
      String(a[0]) < String(b[0]) ? -1 : 1;
    expect(mine.toSorted(byName)).toEqual(theirs.toSorted(byName));
    const documents = await makeDocuments(plan, { name: id, map: null });
    const text = new TextDecoder().decode(await readAll(documents.get("config.json")!, 1 << 20));
    const { dtype, torch_dtype = dtype, ...fields } = JSON.parse(text);
    expect(torch_dtype).toBe(config?.dtype);
    expect(fields.vocab_size).toBe(config?.vocab_size);
    expect(fields.tie_word_embeddings).toBe(config?.tie_word_embeddings);
    expect(fields.num_hidden_layers).toBe(config?.num_hidden_layers);
  } finally {
    await Promise.all(opened.map(({ close }) => close()));
  }
}

describe.skipIf(!hasTestData)("mergekit's whole merges", () => {
  const supported = cases.filter(isSupported);

  test("are compared in good number", () => {
    expect(supported.length).toBeGreaterThanOrEqual(5);
  });

  test.each(supported.map((one) => [one.id, one] as const))("%s", async (_, one) => {
    if (one.error === undefined) {
      await comparePlan(one);
    } else {
      await expect(comparePlan(one)).rejects.toThrow(EngineError);
    }
  });
});
