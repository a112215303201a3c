import { describe, expect, test } from "vitest";
import { bytesInMemory, type FileTree } from "../../core/bytes.ts";
import { systemIntoUser } from "../datasets/systemRole.ts";
import type { ChatMessage } from "./chat.ts";
import { createRenderer } from "./renderer.ts";
import { watchTemplates } from "./task.ts";
import { missingTemplate, openChatTemplate } from "./template.ts";

const CHAT: readonly ChatMessage[] = [
  { role: "user", content: "Hi" },
  { role: "assistant", content: " Hello\n" },
];
const options = { addGenerationPrompt: false };

function templateOf(source: string) {
  const tokens = { bos_token: "<s>", eos_token: "</s>" };
  return createRenderer({ source, file: "test.jinja", tokens, ends: ["</s>"] });
}

function filesOf(files: Readonly<Record<string, unknown>>): FileTree {
  return new Map(
    Object.entries(files).map(([path, content]) => {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      return [path, bytesInMemory(new TextEncoder().encode(text))];
    }),
  );
}

const PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}</s>{% endfor %}";

test("a reply reaches to the token that ends its turn", () => {
  const { text, replies } = templateOf(PLAIN).renderWithReplies(CHAT, options);
  expect(text).toBe("[user]Hi</s>[assistant] Hello\n</s>");
  expect(replies.map(({ start, end }) => text.slice(start, end))).toEqual([" Hello\n</s>"]);
});

test("a reply that the template trims is found as it is written", () => {
  const trimming = "{% for m in messages %}{{ m.content | trim }}</s>{% endfor %}";
  const { text, replies } = templateOf(trimming).renderWithReplies(CHAT, options);
  expect(replies.map(({ start, end }) => text.slice(start, end))).toEqual(["Hello</s>"]);
});

test.each([
  ["strip", "babcab", "c"],
  ["lstrip", "babcab", "cab"],
  ["rstrip", "babcab", "babc"],
])("%s takes the letters it is told and no others", (name, text, want) => {
  const template = templateOf(`{{ messages[0].content.${name}('ba') }}|{{ ' x '.${name}() }}`);
  const [stripped, spaces] = template
    .renderChat([{ role: "user", content: text }], options)
    .split("|");
  expect(stripped).toBe(want);
  expect(spaces?.trim()).toBe("x");
  expect(spaces).not.toBe(" x ");
});

describe("a template that writes the last reply's thoughts and leaves out earlier ones", () => {
  const thinking = templateOf(
    `{%- for m in messages %}{% set parts = m.content.split('</think>') %}[{{ m.role }}]
{%- if m.role == 'assistant' and loop.last %}<think>
{{ parts[0].split('<think>')[-1].strip('\n') if parts|length > 1 else '' }}
</think>

{% endif %}{{ parts[-1].lstrip('\n') }}</s>{% endfor %}`,
  );
  const ask = { role: "user", content: "Hi" };
  const say = (content: string) => ({ role: "assistant", content });
  const partsOf = (...messages: readonly ChatMessage[]) => {
    const { text, replies } = thinking.renderWithReplies(messages, options);
    return replies.map(({ start, end }) => text.slice(start, end));
  };

  test("thoughts are learned where they are written", () => {
    const thought = say("<think>\nHm\n</think>\n\n  Yes");
    expect(partsOf(ask, say("No"), ask, thought)).toEqual([
      "No</s>",
      "<think>\nHm\n</think>\n\n  Yes</s>",
    ]);
    expect(partsOf(ask, thought, ask, say("No"))).toEqual(["  Yes</s>", "No</s>"]);
  });

  test("a question that looks like them is not taken for them", () => {
    const question = { role: "user", content: "<think>\nHm\n</think>" };
    expect(partsOf(question, say("<think>Hm</think>Yes"), ask, say("No"))).toEqual([
      "Yes</s>",
      "No</s>",
    ]);
  });
});

test("a reply that the template rewrites is refused, not guessed", () => {
  const rewriting = templateOf("{% for m in messages %}{{ m.content | upper }}{% endfor %}");
  expect(rewriting.renderChat(CHAT, options)).toBe("HI HELLO\n");
  expect(() => rewriting.renderWithReplies(CHAT, options)).toThrow("not known which part");
});

test("a reply that is written twice is refused", () => {
  const twice = templateOf("{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}");
  expect(() => twice.renderWithReplies(CHAT, options)).toThrow("not known which part");
});

/** A text of 4 Mi letters. */
const LONG = `{% set ns = namespace(s='x') %}{% for a in range(22) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{% set s = ns.s %}`;

test.each([
  ["loops", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"],
  ["counts too far", "{% for a in range(999999999) %}x{% endfor %}"],
  [
    "grows",
    "{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
  ],
  ["replaces by long texts", `${LONG}{{ s|replace('', s) }}{{ s.replace('x', s) }}`],
  ["joins with a long text", `${LONG}{{ range(9999)|join(s) }}`],
  [
    "works on long texts again and again",
    `${LONG}{% for a in range(9999) %}{{ s|upper|length }}{% endfor %}`,
  ],
  ["calls itself", "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}"],
])("a template that %s is stopped", (_, source) => {
  expect(() => templateOf(source).renderChat(CHAT, options)).toThrow("cannot write this chat");
});

test("a template's own complaint reaches the reader", () => {
  const template = templateOf("{{ raise_exception('Roles must alternate') }}");
  expect(() => template.renderChat(CHAT, options)).toThrow("Roles must alternate");
});

test("a malformed template is refused when it is opened", () => {
  expect(() => templateOf("{% for %}")).toThrow("malformed");
});

test("a run of blanks that would take for ever to read is refused by its length", () => {
  expect(() => templateOf(" ".repeat(400_000))).toThrow("400000 blanks in a row");
  expect(templateOf(`{{ 1 }}${" ".repeat(2000)}x`).renderChat(CHAT, options)).toHaveLength(2002);
});

test("nested replacements are evaluated once each", () => {
  const nested = `{{ ${"(".repeat(40)}'a'${"|replace('a', 'a'))".repeat(40)} }}`;
  expect(templateOf(nested).renderChat(CHAT, options)).toBe("a");
});

const ASK = { role: "user", content: "Hi" };

describe("a reply with thoughts or tool calls in fields of their own", () => {
  const fields = templateOf(
    `{% for m in messages %}<|{{ m.role }}|>
{% if m.reasoning_content %}<think>
{{ m.reasoning_content }}
</think>

{% endif %}{{ m.content }}{% for c in m.tool_calls or [] %}{{ '\\n' }}<tool>{{ c.function | tojson }}</tool>{% endfor %}</s>
{% endfor %}{% if add_generation_prompt %}<|assistant|>
{% endif %}`,
  );
  const call = { type: "function", function: { name: "add", arguments: { a: 1 } } };
  const learned = (...messages: readonly ChatMessage[]) => {
    const { text, replies } = fields.renderWithReplies(messages, options);
    return replies.map(({ start, end }) => text.slice(start, end));
  };

  test("is learned as a whole", () => {
    const reply = { role: "assistant", content: "Let me see.", fields: { tool_calls: [call] } };
    const thought = { role: "assistant", content: "2", fields: { reasoning_content: "1 + 1" } };
    const result = { role: "tool", content: "2", fields: { name: "add" } };
    expect(learned(ASK, reply, result, thought)).toEqual([
      'Let me see.\n<tool>{"name": "add", "arguments": {"a": 1}}</tool></s>',
      "<think>\n1 + 1\n</think>\n\n2</s>",
    ]);
  });

  test("may have no words beside the calls", () => {
    const reply = { role: "assistant", content: "", fields: { tool_calls: [call, call] } };
    const one = '\n<tool>{"name": "add", "arguments": {"a": 1}}</tool>';
    expect(learned(ASK, reply)).toEqual([`${one}${one}</s>`]);
  });

  test("is not learned where the dataset says so", () => {
    const reply = { role: "assistant", content: "No" };
    expect(learned(ASK, { ...reply, learned: false as const }, ASK, reply)).toEqual(["No</s>"]);
  });
});

test("a template without a system role says so, and the text can go into the first user turn", () => {
  const picky = templateOf(
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" +
      "{% for m in messages %}[{{ m.role }}]{{ m.content }}</s>{% endfor %}",
  );
  const chat = [{ role: "system", content: "Be terse." }, ...CHAT];
  expect(() => picky.renderWithReplies(chat, options)).toThrow("takes no system role");
  const row = { kind: "chat" as const, domain: null, followUps: [], messages: chat };
  const into = systemIntoUser(row);
  expect(into.kind === "chat" && picky.renderChat(into.messages, options)).toBe(
    "[user]Be terse.\n\nHi</s>[assistant] Hello\n</s>",
  );
});

test("the day is the one that is given", () => {
  const template = templateOf("{{ strftime_now('%d %b %Y, %A %H:%M') }}");
  const today = new Date(2024, 1, 29, 9, 5);
  expect(template.renderChat(CHAT, { ...options, today })).toBe("29 Feb 2024, Thursday 09:05");
});

test("chat_template.jinja wins over tokenizer_config.json", async () => {
  const files = filesOf({
    "chat_template.jinja": "file",
    "tokenizer_config.json": { chat_template: "entry" },
  });
  expect((await openChatTemplate(files, null, watchTemplates()))?.source).toBe("file");
});

test("of named templates the default is taken", async () => {
  const chat_template = [
    { name: "tool_use", template: "tools" },
    { name: "default", template: "default" },
  ];
  const files = filesOf({ "tokenizer_config.json": { chat_template } });
  expect((await openChatTemplate(files, null, watchTemplates()))?.source).toBe("default");
});

test("special tokens may be named by objects or in special_tokens_map.json", async () => {
  const files = filesOf({
    "tokenizer_config.json": {
      chat_template: "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}",
      bos_token: { content: "<b>" },
    },
    "special_tokens_map.json": { bos_token: "<other>", eos_token: "<e>" },
  });
  const template = await openChatTemplate(files, null, watchTemplates());
  expect(await template?.renderChat(CHAT, options)).toBe("<b>Hi<e>");
});

test("a checkpoint without a template has none, and the failure says what to do", async () => {
  expect(
    await openChatTemplate(filesOf({ "tokenizer_config.json": {} }), null, watchTemplates()),
  ).toBeNull();
  expect(missingTemplate("base").message).toContain("Add one of them");
  expect(missingTemplate("base").code).toBe("missing-file");
});
