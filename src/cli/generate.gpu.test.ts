import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generate } from "./generate.ts";

const MODELS = join("goldens", "nn", "models");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fusestudio-generate-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function draw(model: string, options: Record<string, string>): Promise<readonly number[]> {
  const { json } = await generate.run({
    positionals: [model],
    options,
    signal: new AbortController().signal,
    say: () => undefined,
    progress: () => undefined,
  });
  return (json as { ids: readonly number[] }).ids;
}

test("a text ends where a model's learned positions do, and nothing is lost", async () => {
  // Its config.json has 64 positions; the last token that is drawn needs none.
  const ids = await draw(join(MODELS, "gpt2"), { ids: "1,2,3", tokens: "100" });
  expect(ids).toHaveLength(62);
});

test("a folder without a tokenizer ends texts as its generation_config.json says", async () => {
  const model = join(folder, "llama");
  await cp(join(MODELS, "llama"), model, { recursive: true });
  const whole = await draw(model, { ids: "27,54,18", tokens: "8", "ignore-stop": "" });
  const end = whole[3] as number;
  await writeFile(join(model, "generation_config.json"), JSON.stringify({ eos_token_id: [end] }));
  const stopped = await draw(model, { ids: "27,54,18", tokens: "8" });
  expect(stopped).toEqual(whole.slice(0, whole.indexOf(end) + 1));
});
