import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright/test";
import { expect, test } from "./browser.ts";
import { ANSWER_MS, chooseModels, column, facts, readTokens } from "./playground.ts";
import { expectStored, goTo, openStudio, pickFolder, SAMPLES } from "./studio.ts";

/** The smallest budget that the engine takes, 64 MiB; the page offers half a GB and more. */
const BUDGET_BYTES = 2 ** 26;
const SIZE = { hidden: 512, mlp: 1536, layers: 5, vocabulary: 1024 } as const;
const NAME = "heavy";

function shapes(): readonly (readonly [string, readonly number[]])[] {
  const { hidden, mlp, layers, vocabulary } = SIZE;
  const square = [hidden, hidden];
  return [
    ["model.embed_tokens.weight", [vocabulary, hidden]],
    ...Array.from({ length: layers }, (_, layer) =>
      Object.entries({
        "self_attn.q_proj": square,
        "self_attn.k_proj": square,
        "self_attn.v_proj": square,
        "self_attn.o_proj": square,
        "mlp.gate_proj": [mlp, hidden],
        "mlp.up_proj": [mlp, hidden],
        "mlp.down_proj": [hidden, mlp],
        input_layernorm: [hidden],
        post_attention_layernorm: [hidden],
      }).map(([name, shape]) => [`model.layers.${layer}.${name}.weight`, shape] as const),
    ).flat(),
    ["model.norm.weight", [hidden]],
  ];
}

/** A Llama of random float32 weights, a little larger than the budget, that reads as the samples do. */
function writeHeavy(folder: string): { readonly path: string; readonly weightBytes: number } {
  const path = join(folder, NAME);
  mkdirSync(path);
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
    copyFileSync(join(SAMPLES, "ember-base", file), join(path, file));
  }
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    tie_word_embeddings: true,
    hidden_size: SIZE.hidden,
    intermediate_size: SIZE.mlp,
    num_hidden_layers: SIZE.layers,
    num_attention_heads: 8,
    num_key_value_heads: 8,
    vocab_size: SIZE.vocabulary,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-6,
    hidden_act: "silu",
  };
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  let offset = 0;
  const entries = shapes().map(([name, shape]) => {
    const from = offset;
    offset += 4 * shape.reduce((product, side) => product * side, 1);
    return [name, { dtype: "F32", shape, data_offsets: [from, offset] }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  const values = new Float32Array(offset / 4);
  let bits = 0x5eed;
  for (let i = 0; i < values.length; i++) {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    values[i] = bits / 2 ** 31 / 8;
  }
  const data = Buffer.from(values.buffer);
  writeFileSync(join(path, "model.safetensors"), Buffer.concat([length, header, data]));
  return { path, weightBytes: offset };
}

/** Leaves a budget where the studio keeps the person's choice, for the next time it opens. */
async function storeBudget(page: Page, bytes: number): Promise<void> {
  await page.evaluate(
    (budget) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open("fusestudio");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const writing = opening.result.transaction("settings", "readwrite");
          writing.objectStore("settings").put(budget, "gpuBudgetBytes");
          writing.onabort = () => reject(writing.error);
          writing.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
    bytes,
  );
}

/** The likeliest four tokens after a prompt. */
async function answer(page: Page): Promise<readonly (string | null)[]> {
  await page.getByRole("textbox", { name: "Temperature" }).fill("0");
  await page.getByRole("textbox", { name: "Tokens" }).fill("4");
  await page.getByRole("textbox", { name: "Prompt" }).fill("There was once a miller");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(facts(page, NAME)).toContainText(/^4 tokens · /, { timeout: 2 * ANSWER_MS });
  return readTokens(page, NAME);
}

test("a model over the GPU budget says so before it starts, and answers layer by layer", async ({
  page,
  folder,
}) => {
  test.slow();
  const { path, weightBytes } = writeHeavy(folder);
  expect(weightBytes).toBeGreaterThan(BUDGET_BYTES);
  await openStudio(page);
  await pickFolder(page, path);
  await expectStored(page, NAME, 60_000);
  await goTo(page, "Playground");
  await chooseModels(page, [NAME]);
  const warning = column(page, NAME).getByText("Larger than the GPU budget.");
  await expect(warning).toHaveCount(0);
  const whole = await answer(page);
  expect(whole).toHaveLength(4);

  await storeBudget(page, BUDGET_BYTES);
  await page.reload();
  await goTo(page, "Playground");
  await expect(page.getByRole("banner")).toContainText("· 67 MB");
  await chooseModels(page, [NAME]);
  await expect(warning).toBeVisible();
  await expect(column(page, NAME)).toContainText("layer by layer");
  await expect(page.getByRole("list", { name: "Models to ask" })).toContainText("streams layers");
  expect(await answer(page)).toEqual(whole);
});
