import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "./browser.ts";
import { ANSWER_MS, chooseModels, column, facts, readTokens, run, tokensOf } from "./playground.ts";
import { expectStored, goTo, openStudio, pickFolder, SAMPLES, trySamples } from "./studio.ts";

test("two models answer side by side, and one seed always draws the same text", async ({
  page,
}) => {
  await openStudio(page);
  await trySamples(page);
  await goTo(page, "Playground");
  await chooseModels(page, ["ember-tales", "ember-maths"]);
  await run(page, "There was once a miller", 24);
  await expect(facts(page, "ember-tales")).toContainText(/24 tokens · [\d.]+ tokens\/s/);
  await expect(facts(page, "ember-maths")).toContainText(/^24 tokens · /);
  const tales = await readTokens(page, "ember-tales");
  const maths = await readTokens(page, "ember-maths");
  expect(tales).toHaveLength(24);
  expect(tales.every((label) => /: \d+\.\d\d nats; likeliest .+ \d/.test(label ?? ""))).toBe(true);
  expect(maths).not.toEqual(tales);

  await run(page, "There was once a miller", 24);
  expect(await readTokens(page, "ember-tales")).toEqual(tales);
  await page.getByRole("textbox", { name: "Seed" }).fill("2");
  await run(page, "There was once a miller", 24);
  expect(await readTokens(page, "ember-tales")).not.toEqual(tales);
});

test("the keyboard walks from token to token and shows what was likely there", async ({ page }) => {
  await openStudio(page);
  await trySamples(page);
  await goTo(page, "Playground");
  await chooseModels(page, ["ember-tales"]);
  await page.getByRole("textbox", { name: "Prompt" }).fill("The king said");
  await page.getByRole("button", { name: "Read this text" }).click();
  await expect(facts(page, "ember-tales")).toContainText(
    /tokens · [\d.]+ nats per token · [\d.]+ bits per byte/,
    { timeout: ANSWER_MS },
  );
  const tokens = tokensOf(page, "ember-tales");
  await tokens.first().focus();
  await page.keyboard.press("ArrowRight");
  await expect(tokens.nth(1)).toBeFocused();
  const tip = page.locator(".tip");
  await expect(tip.locator("li")).not.toHaveCount(0);
  await expect(tip).toContainText(/nats · /);
  await page.keyboard.press("End");
  await expect(tokens.last()).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(tip).toHaveCount(0);
});

test("stop keeps what was written and leaves the next model unasked", async ({ page }) => {
  await openStudio(page);
  await trySamples(page);
  await goTo(page, "Playground");
  await chooseModels(page, ["ember-base", "ember-drama"]);
  // Its likeliest continuation does not come to an end by itself.
  await page.getByRole("textbox", { name: "Temperature" }).fill("0");
  await page.getByRole("textbox", { name: "Tokens" }).fill("240");
  await page.getByRole("textbox", { name: "Prompt" }).fill("It was");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(tokensOf(page, "ember-base").nth(3)).toBeVisible({ timeout: ANSWER_MS });
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(facts(page, "ember-base")).toContainText("stopped");
  const kept = await tokensOf(page, "ember-base").count();
  expect(kept).toBeGreaterThanOrEqual(4);
  expect(kept).toBeLessThan(240);
  await expect(tokensOf(page, "ember-drama")).toHaveCount(0);
  await run(page, "It was", 4);
  await expect(facts(page, "ember-drama")).toContainText(/^4 tokens · /);
});

test("a chat keeps its conversation, and a model without a template sits it out", async ({
  page,
  folder,
}) => {
  const talker = join(folder, "talker");
  cpSync(join(SAMPLES, "ember-base"), talker, { recursive: true });
  const config = join(talker, "tokenizer_config.json");
  const template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:";
  const settings: object = JSON.parse(readFileSync(config, "utf8"));
  writeFileSync(config, JSON.stringify({ ...settings, chat_template: template }));
  await openStudio(page);
  await pickFolder(page, talker);
  await expectStored(page, "talker");
  await pickFolder(page, join(SAMPLES, "ember-tales"));
  await expectStored(page, "ember-tales");
  await goTo(page, "Playground");
  await chooseModels(page, ["talker", "ember-tales"]);
  await page.getByText("Chat", { exact: true }).click();
  await page.getByRole("textbox", { name: "Tokens" }).fill("6");
  await expect(column(page, "ember-tales")).toContainText("no chat template");
  const message = page.getByRole("textbox", { name: "Message" });
  const lengths: number[] = [];
  for (const text of ["Who are you?", "And then?"]) {
    await message.fill(text);
    await message.press("Enter");
    await expect(message).toHaveValue("");
    await expect(page.getByRole("button", { name: "Send" })).toBeVisible({ timeout: ANSWER_MS });
    const line = await facts(page, "talker").last().textContent();
    lengths.push(Number(/(\d+) in the prompt/.exec(line ?? "")?.[1]));
  }
  await expect(column(page, "talker")).toContainText("Who are you?");
  expect(lengths[1]).toBeGreaterThan((lengths[0] ?? 0) + 6);
  await expect(tokensOf(page, "ember-tales")).toHaveCount(0);
});

test("a chat template that does not end is stopped by name, and the next model answers", async ({
  page,
  folder,
}) => {
  const talker = (name: string, template: string) => {
    const path = join(folder, name);
    cpSync(join(SAMPLES, "ember-base"), path, { recursive: true });
    const config = join(path, "tokenizer_config.json");
    const settings: object = JSON.parse(readFileSync(config, "utf8"));
    writeFileSync(config, JSON.stringify({ ...settings, chat_template: template }));
    return path;
  };
  // Lists of four million texts, one after the other, which the interpreter counts too late.
  const endless =
    "{% set ns = namespace(s='a b ') %}{% for i in range(22) %}{% set ns.s = ns.s + ns.s %}{% endfor %}" +
    "{% for i in range(1000) %}{% set x = ns.s.split(' ') %}{% endfor %}";
  const plain = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:";
  await openStudio(page);
  await pickFolder(page, talker("endless", endless));
  await expectStored(page, "endless");
  await pickFolder(page, talker("talker", plain));
  await expectStored(page, "talker");
  await goTo(page, "Playground");
  await chooseModels(page, ["endless", "talker"]);
  await page.getByText("Chat", { exact: true }).click();
  await page.getByRole("textbox", { name: "Tokens" }).fill("6");
  const message = page.getByRole("textbox", { name: "Message" });
  await message.fill("Who are you?");
  await message.press("Enter");
  await expect(column(page, "endless")).toContainText("chat template in tokenizer_config.json", {
    timeout: ANSWER_MS,
  });
  await expect(facts(page, "talker")).toContainText(/6 tokens/, { timeout: ANSWER_MS });
});

test("the sample texts are measured, tabulated, downloaded and opened again under Runs", async ({
  page,
}) => {
  await openStudio(page);
  await trySamples(page);
  await goTo(page, "Library");
  await page.getByRole("button", { name: "Add the sample texts" }).click();
  const datasets = page.getByRole("list", { name: "Datasets" });
  await expect(datasets.getByRole("listitem")).toHaveCount(3);
  await page.getByRole("button", { name: "Evaluate", exact: true }).click();
  for (const name of ["ember-drama", "ember-varm", "ember-tales", "drama.jsonl", "tales.jsonl"]) {
    const box = page.getByRole("checkbox", { name, exact: true });
    // Until a model is described its box is empty: unchecking it then would do nothing.
    await expect(box).toBeChecked();
    await box.uncheck();
  }
  await page.getByRole("textbox", { name: "Rows of each dataset, at most" }).fill("5"); // fewer have no interval
  await page.getByRole("button", { name: "Start the evaluation" }).click();
  const better = page.getByRole("row", { name: /ember-maths/ });
  await expect(better).toContainText("better", { timeout: ANSWER_MS });
  await expect(page.getByRole("row", { name: /ember-base/ })).toContainText("compared with it");
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download CSV" }).click();
  const lines = readFileSync(await (await saved).path(), "utf8")
    .trim()
    .split("\r\n");
  expect(lines.map((line) => line.split(",")[0])).toEqual(["model", "ember-base", "ember-maths"]);
  await page.getByRole("columnheader", { name: "maths.jsonl" }).getByRole("button").click();
  await expect(page.getByRole("row").nth(1)).toContainText("ember-maths");
  await page.reload();
  await goTo(page, "Runs");
  await page.getByRole("button", { name: "Open table" }).click();
  await expect(better).toContainText("better");

  await goTo(page, "Library");
  await page.getByRole("button", { name: "Actions for maths.jsonl", exact: true }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(datasets.getByRole("listitem")).toHaveCount(2);
});
