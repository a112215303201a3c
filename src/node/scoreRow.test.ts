import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeRow } from "../engine/evaluate/scoreRow.ts";
import type { DatasetRow } from "../engine/text/datasets/datasets.ts";
import { watchTemplates } from "../engine/text/templates/task.ts";
import { createChatTemplate } from "../engine/text/templates/template.ts";
import { openTokenizer, type TextTokenizer } from "../engine/text/tokenizers/tokenizer.ts";
import { openFiles } from "./files.ts";

let tokenizer: TextTokenizer;
let close: () => Promise<void>;
beforeAll(async () => {
  const opened = await openFiles(join("public", "samples", "ember-base"));
  close = opened.close;
  tokenizer = (await openTokenizer(opened.files)) as TextTokenizer;
});
afterAll(() => close());

const TEMPLATE = await createChatTemplate(
  {
    source:
      "{% for m in messages %}{{ m.role }}: {{ m.content }}" +
      "{{ eos_token if m.role == 'assistant' }}\n{% endfor %}",
    file: "chat_template.jinja",
    tokens: { eos_token: "</s>" },
    ends: ["</s>"],
  },
  watchTemplates(),
);

const text = (value: string): DatasetRow => ({ kind: "text", text: value, domain: null });
const chat = (...said: readonly [string, string][]): DatasetRow => ({
  kind: "chat",
  domain: null,
  followUps: [],
  messages: said.map(([role, content]) => ({ role, content })),
});

test("all of a text counts after the token that begins it", async () => {
  const row = await encodeRow(text("Prince Andrew é"), tokenizer, null);
  expect(row?.ids[0]).toBe(tokenizer.bosId);
  expect(row?.counted[0]).toBe(0);
  expect([...(row?.counted.subarray(1) ?? [])].every((each) => each === 1)).toBe(true);
  expect(row?.bytes).toBe(16);
});

test("without a token that begins or ends texts the first token's bytes do not count", async () => {
  const bare = { ...tokenizer, bosId: null, eosId: null };
  const row = await encodeRow(text("Prince Andrew"), bare, null);
  const first = tokenizer.tokenBytes(row?.ids[0] as number).byteLength;
  expect(first).toBeGreaterThan(0);
  expect(row?.bytes).toBe(13 - first);
  const one = tokenizer.encode("a", { specialTokens: false }).ids;
  expect(one).toHaveLength(1);
  expect(await encodeRow(text("a"), bare, null)).toBeNull();
});

test("of a chat the replies count, with the token that ends them but without its bytes", async () => {
  const row = await encodeRow(
    chat(["user", "Who are you?"], ["assistant", "Nobody."], ["user", "Oh"], ["assistant", "Yes"]),
    tokenizer,
    TEMPLATE,
  );
  const counted = row?.ids.filter((_, i) => row.counted[i] === 1) ?? [];
  const words = tokenizer.decode(counted, { skipSpecial: true, continues: true });
  expect(words.replaceAll(" ", "")).toBe("Nobody.Yes");
  expect(counted.filter((id) => id === tokenizer.eosId)).toHaveLength(2);
  expect(row?.bytes).toBe("Nobody.Yes".length);
});

test("a chat without a reply, or without a template, has nothing to count", async () => {
  const question: readonly [string, string] = ["user", "Who are you?"];
  expect(await encodeRow(chat([...question]), tokenizer, TEMPLATE)).toBeNull();
  expect(await encodeRow(chat([...question], ["assistant", "I"]), tokenizer, null)).toBeNull();
});
