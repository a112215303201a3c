import { expect, test } from "vitest";
import { TRAINING_DEFAULTS } from "../contract/index.ts";
import { bytesInMemory } from "../core/bytes.ts";
import { makeModel } from "../merge/testModels.ts";
import { targetDocuments } from "./targetCard.ts";

const text = (content: string) => bytesInMemory(new TextEncoder().encode(content));

async function make(name: string, readme: string) {
  const model = makeModel(name, { "model.embed_tokens.weight": ["F32", [4, 2]] });
  const pivot = { ...model, files: new Map([["README.md", text(readme)]]) };
  const origin = { name: "Tales *2*", dataset: "tales" };
  const files = await targetDocuments(pivot, TRAINING_DEFAULTS.studio, origin);
  const read = async (of: "target" | "adapter", path: string) => {
    const source = files[of].get(path)!;
    return new TextDecoder().decode(await source.read(0, source.byteLength));
  };
  return { files, read };
}

test("a target's card names its pivot, and the adapter's says what it is", async () => {
  const { read } = await make("acme/ember-7B", "---\nlicense: apache-2.0\n---\n");
  const card = await read("target", "README.md");
  expect(card).toContain("base_model: acme/ember-7B\nbase_model_relation: finetune\n");
  expect(card).toContain("library_name: transformers\ntags:\n- distillation\nlicense: apache-2.0");
  expect(card).toContain("# Tales \\*2\\*\n");
  const adapter = await read("adapter", "README.md");
  expect(adapter).toContain("base_model: acme/ember-7B\nbase_model_relation: adapter\n");
  expect(adapter).toContain("library_name: peft\ntags:\n- distillation\n- lora\n");
});

test("the record holds the settings, and equal trainings give equal bytes", async () => {
  const { read } = await make("ember", "no front matter");
  const record = await read("target", "training.json");
  expect(JSON.parse(record)).toMatchObject({
    format: 1,
    name: "Tales *2*",
    pivot: { name: "ember", parameters: 8 },
    dataset: "tales",
    settings: TRAINING_DEFAULTS.studio,
  });
  const again = await make("ember", "no front matter");
  expect(await again.read("target", "training.json")).toBe(record);
  expect(await again.read("target", "README.md")).not.toContain("license:");
});
