import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "./browser.ts";
import { openEnginePage, ROOT } from "./enginePage.ts";
import type { FuseAnswer, FuseQuestion } from "./fusePage.ts";

const SIDE_FILES = ["config.json", "tokenizer.json", "tokenizer_config.json"];
const sample = (name: string, weights: string, as = name) => ({
  name: as,
  folder: `root/public/samples/${name}`,
  files: [...SIDE_FILES, weights],
});

/** Rows of the sample texts that no sample model was trained on. */
function evalRows(domain: string, count: number): readonly string[] {
  const text = readFileSync(join(ROOT, "public/samples/texts", `${domain}.jsonl`), "utf8");
  const rows = text.split("\n").filter((line) => line && JSON.parse(line).split === "eval");
  return rows
    .slice(0, count)
    .map((line) => JSON.stringify({ text: JSON.parse(line).text, category: domain }));
}

test(
  "a source is read through its ONNX export as from its safetensors",
  { tag: "@long" },
  async ({ page }, testInfo) => {
    test.setTimeout(600_000);
    const rows = Number(process.env.FUSESTUDIO_FUSE_ROWS ?? 1);
    const lines = ["tales", "drama", "maths"].flatMap((domain) => evalRows(domain, rows));
    await openEnginePage(page, testInfo.outputDir, "fusePage.ts");
    const question: FuseQuestion = {
      models: [
        sample("ember-base", "model.safetensors"),
        sample("flint-source", "model.safetensors"),
        sample("slate-source", "model.safetensors"),
        sample("slate-source", "onnx/model.onnx", "slate-onnx"),
      ],
      data: { name: "texts.jsonl", text: lines.join("\n") },
      settings: { rows: 100 },
    };
    const { card, notes, adapter, seconds } = await page.evaluate((asked) => {
      const { answer } = window as unknown as {
        answer(question: FuseQuestion): Promise<FuseAnswer>;
      };
      return answer(asked);
    }, question);
    testInfo.annotations.push({
      type: "fusion",
      description: JSON.stringify({ adapter, seconds, notes, card }),
    });
    expect(card).toMatchObject({ state: "complete", dropped: [] });
    expect(card.domains.map(({ domain }) => domain)).toEqual(["drama", "maths", "tales"]);
    const [, flint, slate, onnx] = card.members;
    expect(onnx).toMatchObject({ model: "slate-onnx", tokens: slate?.tokens, covered: card.rows });
    expect(onnx?.reasons).toEqual(slate?.reasons);
    // Sums in another order: logits differ by some 4e-5, and so do the nats of a token at most.
    const difference = Math.abs((onnx?.nats ?? 0) - (slate?.nats ?? 0));
    expect(difference).toBeLessThanOrEqual(1e-4 * (slate?.tokens ?? 0));
    // Each source knows best what it was trained on.
    const winsIn = (domain: string) =>
      card.domains.find((each) => each.domain === domain)?.members.map(({ wins }) => wins) ?? [];
    const [, flintMaths = 0, slateMaths = 0, onnxMaths = 0] = winsIn("maths");
    expect(slateMaths + onnxMaths).toBeGreaterThan(flintMaths);
    expect(winsIn("drama")[1]).toBeGreaterThan(0);
    expect(flint?.bitsPerByte).toBeLessThan(card.members[0]?.bitsPerByte ?? 0);
  },
);
