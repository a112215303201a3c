import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Command } from "./command.ts";
import { generate } from "./generate.ts";
import { logits } from "./logits.ts";
import { perplexity } from "./perplexity.ts";

const TINY = "goldens/nn/models/llama";
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-test-"));
  await cp(TINY, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function call(command: Command, positionals: readonly string[], options = {}) {
  const { signal } = new AbortController();
  const quiet = { say: () => undefined, progress: () => undefined };
  return command.run({ positionals, options, signal, ...quiet });
}

async function changeConfig(change: object): Promise<void> {
  const path = join(folder, "config.json");
  const config = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...config, ...change }));
}

describe("a model is refused before a GPU is looked for", () => {
  test.each([
    ["of an architecture nobody built", { model_type: "rwkv" }, "unsupported-architecture"],
    ["with more layers than tensors", { num_hidden_layers: 3 }, "missing-tensor"],
    ["whose tensors have other shapes", { intermediate_size: 51 }, "bad-shape"],
    ["with a size that is no number", { hidden_size: "36" }, "bad-config"],
  ])("%s", async (_, change, code) => {
    await changeConfig(change);
    await expect(call(logits, [folder], { ids: "1" })).rejects.toMatchObject({ code });
  });

  test("that has no tokenizer, where a text is given", async () => {
    const refused = { code: "missing-file", message: expect.stringContaining("--ids") };
    await expect(call(logits, [folder], { text: "a" })).rejects.toMatchObject(refused);
  });
});

describe("options are refused before a GPU is looked for", () => {
  test.each<[string, Command, object]>([
    ["neither a text nor ids", logits, {}],
    ["both a text and ids", logits, { text: "a", ids: "1" }],
    ["an id beyond the vocabulary", logits, { ids: "1,61" }],
    ["an id that is no number", logits, { ids: "1,x" }],
    ["a negative id", logits, { ids: "-1" }],
    ["no ids between the commas", generate, { ids: "," }],
    ["a temperature below zero", generate, { ids: "1", temperature: "-1" }],
    ["a part above one", generate, { ids: "1", "top-p": "1.5" }],
    ["half a token", generate, { ids: "1", tokens: "0.5" }],
    ["a seed of nothing", generate, { ids: "1", seed: "" }],
    ["a window of one", perplexity, { window: "1" }],
    ["a stride as long as the window", perplexity, { window: "8", stride: "8" }],
    ["a budget without a number", logits, { ids: "1", budget: "much" }],
  ])("%s", async (_, command, options) => {
    const file = join(folder, "config.json");
    const positionals = command === perplexity ? [folder, file] : [folder];
    await expect(call(command, positionals, options)).rejects.toMatchObject({ code: "usage" });
  });
});
