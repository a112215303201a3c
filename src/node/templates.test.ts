import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EngineError } from "../engine/contract/index.ts";
import type { ChatMessage } from "../engine/text/templates/chat.ts";
import { createRenderer, type Renderer } from "../engine/text/templates/renderer.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

interface Rendered {
  readonly today: string;
  readonly chats: Readonly<Record<string, readonly ChatMessage[]>>;
  readonly templates: Readonly<
    Record<string, Readonly<Record<string, { text?: string; refused?: string; tools?: unknown[] }>>>
  >;
}

/** What transformers and jinja2 made of the same chats (interop/chatTemplates.py). */
const golden: Rendered = JSON.parse(
  readFileSync(new URL("../../goldens/templates/rendered.json", import.meta.url), "utf8"),
);
const today = new Date(golden.today);
const tokens = { bos_token: "<BOS>", eos_token: "<EOS>" };
/** Tokens that end a turn in one of the templates. */
const ends = [
  "<EOS>",
  "<|im_end|>",
  "<|eot_id|>",
  "<end_of_turn>",
  "<|end|>",
  "<|END_OF_TURN_TOKEN|>",
];

function readTemplate(name: string): Renderer {
  const text = readFileSync(testDataPath(name), "utf8");
  const source = name.endsWith(".json") ? JSON.parse(text).chat_template : text;
  return createRenderer({ source, file: name, tokens, ends });
}

function optionsOf(messages: readonly ChatMessage[], tools: unknown[] | undefined) {
  const addGenerationPrompt = messages.at(-1)?.role === "user";
  return { addGenerationPrompt, today, tools: tools ?? null };
}

describe.skipIf(!hasTestData)("chat templates", () => {
  const names = Object.keys(golden.templates);
  expect(names.length).toBeGreaterThan(16);

  test.each(names)("%s renders as transformers does", (name) => {
    const template = readTemplate(name);
    for (const [title, { text, tools }] of Object.entries(golden.templates[name]!)) {
      const messages = golden.chats[title]!;
      const render = () => template.renderChat(messages, optionsOf(messages, tools));
      if (text !== undefined) expect(render(), title).toBe(text);
      else expect(render, title).toThrow(EngineError);
    }
  });

  test.each(names)("%s tells the assistant's words from the rest", (name) => {
    const template = readTemplate(name);
    for (const [title, { text, tools }] of Object.entries(golden.templates[name]!)) {
      if (text === undefined) continue;
      const messages = golden.chats[title]!;
      const rendered = template.renderWithReplies(messages, optionsOf(messages, tools));
      const spoken = messages.filter(({ role, content }) => role === "assistant" && content !== "");
      expect(rendered.text, title).toBe(text);
      if (title !== "empty") expect(rendered.replies.length, title).toBe(spoken.length);
      for (const [i, { start, end }] of rendered.replies.entries()) {
        const words = (spoken[i]?.content ?? "").split("</think>").at(-1)!.trim();
        expect(text.slice(start, end), title).toContain(words);
      }
    }
  });
});

interface Marked {
  readonly chat: readonly { readonly role: string; readonly content: string }[];
  readonly cases: Readonly<
    Record<string, { template: string; text: string; learned: readonly string[] }>
  >;
}

/** What transformers' return_assistant_tokens_mask learns (interop/generationMarks.py). */
const generation: Marked = JSON.parse(
  readFileSync(new URL("../../goldens/templates/generation.json", import.meta.url), "utf8"),
);

test.each(Object.entries(generation.cases))(
  "{%% generation %%} marks what transformers marks: %s",
  (_, given) => {
    const messages = generation.chat.map(({ role, content, ...fields }) => ({
      role,
      content,
      fields,
    }));
    const template = createRenderer({ source: given.template, file: "t.jinja", tokens, ends });
    const { text, replies } = template.renderWithReplies(messages, { addGenerationPrompt: false });
    expect(text).toBe(given.text);
    expect(template.renderChat(messages, { addGenerationPrompt: false })).toBe(given.text);
    expect(replies.map(({ start, end }) => text.slice(start, end))).toEqual(given.learned);
    const unlearned = messages.map((message, i) =>
      i === 1 ? { ...message, learned: false as const } : message,
    );
    expect(template.renderWithReplies(unlearned, { addGenerationPrompt: false }).replies).toEqual(
      replies.slice(1),
    );
  },
);
