import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { FUSION_DEFAULTS, type FusionSettings } from "../../contract/index.ts";
import { bytesInMemory } from "../../core/bytes.ts";
import { openDatabase } from "../../storage/database.ts";
import type { StoredDataset } from "../../text/datasets/datasetLibrary.ts";
import { watchTemplates } from "../../text/templates/task.ts";
import { type ChatTemplate, createChatTemplate } from "../../text/templates/template.ts";
import { openTokenizer, type TextTokenizer } from "../../text/tokenizers/tokenizer.ts";
import { storeRecords } from "../dataset/recordStore.ts";
import { openDocumentTokenizer } from "../documents/tokenise.ts";
import type { FusionModel } from "./fuseStages.ts";
import { writeDocuments } from "./fuseStagesDocuments.ts";

const utf8 = (value: unknown) =>
  bytesInMemory(
    new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)),
  );

/** A model that has tokens for these letters, one each, and an unknown token for all others. */
async function modelOf(name: string, letters: string): Promise<FusionModel> {
  const vocab = Object.fromEntries(["<unk>", "</s>", ...letters].map((token, id) => [token, id]));
  const model = { type: "BPE", vocab, merges: [], unk_token: "<unk>" };
  const files = new Map([
    ["tokenizer.json", utf8({ model, decoder: { type: "Fuse" }, added_tokens: [] })],
    ["tokenizer_config.json", utf8({ eos_token: "</s>" })],
  ]);
  const tokenizer = (await openTokenizer(files)) as TextTokenizer;
  return {
    id: name,
    name,
    tokenizer,
    template: null,
    contextLength: 64,
    vocabSize: null,
    reader: openDocumentTokenizer(tokenizer, { begins: false }),
  };
}

function datasetOf(lines: readonly string[]): StoredDataset {
  return {
    card: {
      id: "d",
      name: "d.jsonl",
      kind: "text",
      rows: lines.length,
      byteLength: 0,
      problems: [],
      problemCount: 0,
      createdAt: 0,
    },
    file: "d.jsonl",
    source: utf8(lines.join("\n")),
  };
}

async function write(
  lines: readonly string[],
  changes: Partial<FusionSettings>,
  template: ChatTemplate | null = null,
) {
  const records = storeRecords(openDatabase(indexedDB, crypto.randomUUID()).store("records"));
  const pivot = { ...(await modelOf("pivot", "abcdé")), template };
  const models = [pivot, await modelOf("source", "abcd")];
  const settings = { ...FUSION_DEFAULTS.studio, ...changes };
  return writeDocuments([datasetOf(lines)], "documents", {
    records,
    models,
    settings,
    signal: new AbortController().signal,
    progress: () => undefined,
  });
}

const TEXTS = ["abc", "aé", "dcba"].map((text) => JSON.stringify({ text }));
const REASON = "characters that source has no tokens for";

test("a text that one of the models cannot read is left out, counted and named", async () => {
  const { count, dropped } = await write(TEXTS, {});
  expect(count).toBe(2);
  expect(dropped).toEqual({ [REASON]: { count: 1, first: "d.jsonl, row 2" } });
});

test("the references' profiles keep such a text, and say so", async () => {
  const { count, dropped, notes } = await write(TEXTS, FUSION_DEFAULTS.fusellm);
  expect([count, dropped]).toEqual([3, {}]);
  expect(notes).toContainEqual(expect.stringContaining(`1 documents hold ${REASON}`));
});

test.each(["studio", "fusellm"] as const)("%s refuses it where that is asked", async (profile) => {
  const refusing = { ...FUSION_DEFAULTS[profile], badRows: "refuse" as const };
  await expect(write(TEXTS, refusing)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("d.jsonl, row 2"),
  });
});

test("what cannot be read is told even where it stands behind all rows that were drawn", async () => {
  const { count, dropped } = await write([...TEXTS, "{broken"], { rows: 1 });
  expect(count).toBeLessThanOrEqual(1);
  expect(dropped).toMatchObject({ "no JSON": { count: 1, first: "d.jsonl, row 4" } });
});

test("system texts go into the first question where that is asked", async () => {
  const source =
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ m.content }}</s>{% endfor %}";
  const parts = { source, file: "t.jinja", tokens: {}, ends: ["</s>"] };
  const template = await createChatTemplate(parts, watchTemplates());
  const said = ["system", "user", "assistant"].map((role) => ({ role, content: "ab" }));
  const lines = [JSON.stringify({ messages: said })];
  const refused = await write(lines, {}, template);
  expect(Object.keys(refused.dropped)).toEqual([
    expect.stringContaining("takes no system role. Put the system text before the first user turn"),
  ]);
  const asked = { ...FUSION_DEFAULTS.fusellm, systemIntoUser: true };
  const { count, dropped } = await write(lines, asked, template);
  expect([count, dropped]).toEqual([1, {}]);
});
