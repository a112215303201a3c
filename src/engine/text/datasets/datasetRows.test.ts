import { expect, test } from "vitest";
import { readRow } from "./datasetRows.ts";
import { RowProblem } from "./messages.ts";

/** The messages of a row's first example, as "role: content", or the reason that there are none. */
function readOne(row: unknown): readonly string[] | string {
  const made = readRow(row);
  if (made instanceof RowProblem) return made.reason;
  const [first] = made;
  if (first?.kind === "text") return [`text: ${first.text}`];
  return first?.messages.map(({ role, content }) => `${role}: ${content}`) ?? [];
}

const ASKED = ["user: Q", "assistant: A"];

test.each<[string, unknown, readonly string[]]>([
  [
    "messages",
    {
      messages: [
        { role: "user", content: "Q" },
        { role: "assistant", content: "A" },
      ],
    },
    ASKED,
  ],
  [
    "ShareGPT",
    {
      conversations: [
        { from: "human", value: "Q" },
        { from: "gpt", value: "A" },
      ],
    },
    ASKED,
  ],
  [
    "ShareGPT with a system",
    { system: "S", conversations: [{ from: "human", value: "Q" }] },
    ["system: S", "user: Q"],
  ],
  [
    "parts",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Q" },
            { type: "text", value: "!" },
          ],
        },
      ],
    },
    ["user: Q!"],
  ],
  [
    "thoughts",
    {
      messages: [
        {
          role: "assistant",
          content: [
            { type: "reasoning", value: "T" },
            { type: "text", value: "A" },
          ],
        },
      ],
    },
    ["assistant: <think>\nT\n</think>\n\nA"],
  ],
  [
    "tool calls",
    {
      conversations: [
        { from: "function_call", value: "{}" },
        { from: "observation", value: "1" },
      ],
    },
    ["assistant: {}", "tool: 1"],
  ],
  ["instruction", { instruction: "Q", input: "", output: "A" }, ASKED],
  ["a prompt and its text", { prompt: "Q", text: "A", text_token_length: 1 }, ASKED],
  [
    "answers at their places",
    { question: "Q", answers: { text: ["A"], answer_start: [0] } },
    ASKED,
  ],
  [
    "instruction with input",
    { instruction: "Q", input: "I", output: "A" },
    ["user: Q\nI", "assistant: A"],
  ],
  [
    "a question about a passage",
    { instruction: "Q", context: "I", response: "A" },
    ["user: Q\nI", "assistant: A"],
  ],
  [
    "a question under a system prompt",
    { system_prompt: "S", question: "Q", response: "A" },
    ["system: S", ...ASKED],
  ],
  [
    "instruction with history",
    { instruction: "Q", output: "A", history: [["x", "y"]] },
    ["user: x", "assistant: y", ...ASKED],
  ],
  ["question", { question: "Q", answer: "A" }, ASKED],
  ["prompt and completion", { prompt: "Q", completion: "A" }, ASKED],
  ["prompt alone", { prompt: "Q" }, ["user: Q"]],
  ["input and output", { input: "Q", output: "A" }, ASKED],
  ["preference", { prompt: "Q", chosen: "A", rejected: "B" }, ASKED],
  [
    "preference of messages",
    { prompt: [{ role: "user", content: "Q" }], chosen: [{ role: "assistant", content: "A" }] },
    ASKED,
  ],
  [
    "preference that repeats the chat",
    {
      prompt: "Q",
      chosen: [
        { role: "user", content: "Q" },
        { role: "assistant", content: "A" },
      ],
    },
    ASKED,
  ],
  ["instances", { instruction: "Q", instances: [{ input: "", output: "A" }] }, ASKED],
  [
    "a tree of replies",
    {
      role: "prompter",
      text: "Q",
      replies: [
        { role: "assistant", text: "B", rank: 1, replies: [] },
        { role: "assistant", text: "A", rank: 0, replies: [] },
      ],
    },
    ASKED,
  ],
  ["turns", { turns: ["Q", "R"] }, ["user: Q"]],
  ["UltraChat", { id: "0", data: ["Q", "A", "R", "B"] }, [...ASKED, "user: R", "assistant: B"]],
  [
    "hh-rlhf",
    { chosen: "\n\nHuman: Q\n\nAssistant: A", rejected: "\n\nHuman: Q\n\nAssistant: B" },
    ASKED,
  ],
  ["Guanaco", { text: "### Human: Q### Assistant: A" }, ASKED],
  [
    "messages as JSON",
    { messages: '[{"role":"user","content":"Q"},{"role":"assistant","content":"A"}]' },
    ASKED,
  ],
  ["lists of two", { conversation: [["Q", "A"]] }, ASKED],
  [
    "lists of role and text",
    {
      conversation: [
        ["user", "Q"],
        ["assistant", "A"],
      ],
    },
    ASKED,
  ],
  [
    "lists of messages",
    {
      conversations: [
        [
          { from: "human", value: "Q" },
          { from: "gpt", value: "A" },
        ],
      ],
    },
    ASKED,
  ],
  [
    "a row that is a list",
    [
      { role: "user", content: "Q" },
      { role: "assistant", content: "A" },
    ],
    ASKED,
  ],
  [
    "an answer that looks like JSON",
    { prompt: "Q", completion: "[1, 2]" },
    ["user: Q", "assistant: [1, 2]"],
  ],
  [
    "a text about humans",
    { text: "Human: a word.\n\nIt has five letters." },
    ["text: Human: a word.\n\nIt has five letters."],
  ],
  ["text", { text: "T" }, ["text: T"]],
])("the layout %s is read", (_, row, expected) => {
  expect(readOne(row)).toEqual(expected);
});

test("tool calls, thoughts, tools and weights are kept beside the words", () => {
  const call = { type: "function", function: { name: "add", arguments: '{"a":1}' } };
  const rows = readRow({
    tools: JSON.stringify([{ name: "add" }]),
    messages: [
      { role: "user", content: "Q", tool_calls: [], name: null },
      { role: "assistant", content: null, tool_calls: JSON.stringify([call]) },
      { role: "tool", content: "2", tool_call_id: "x", name: "add" },
      { role: "assistant", content: "No", weight: 0 },
      { role: "assistant", content: "Yes", reasoning: "Hm", weight: 1n },
      { role: "assistant", function_call: { name: "add", arguments: "{}" } },
    ],
  });
  expect(rows).toMatchObject([
    {
      tools: [{ name: "add" }],
      messages: [
        { role: "user", content: "Q" },
        { role: "assistant", content: "", fields: { tool_calls: [call], content: null } },
        { role: "tool", content: "2", fields: { tool_call_id: "x", name: "add" } },
        { role: "assistant", content: "No", learned: false },
        { role: "assistant", content: "Yes", fields: { reasoning_content: "Hm" } },
        {
          role: "assistant",
          content: "",
          fields: { tool_calls: [{ type: "function", function: { name: "add" } }] },
        },
      ],
    },
  ]);
  const [row] = rows as Exclude<typeof rows, RowProblem>;
  expect(row?.kind === "chat" && Object.keys(row.messages[0]!)).toEqual(["role", "content"]);
});

test.each<[unknown, string]>([
  [{ messages: "hello" }, "messages that are no list of messages"],
  [{ conversation: [["a", "b", "c"]] }, "a turn that is no list of two texts"],
  [
    { messages: [{ role: "assistant", content: "A", weight: 0.5 }] },
    "a message whose weight is neither 0 nor 1",
  ],
  [{ chosen: "A", rejected: "B" }, "answers without their questions"],
  [
    { a: 1, b: 2 },
    'no layout that is known: its columns are "a", "b"; one of these is expected: messages; replies; instances; turns; data; choices; prompt and completion; chosen and rejected; text; or one that you name as the text column',
  ],
  [{ messages: [] }, "an empty chat"],
  [{ messages: [{ role: "user", content: " " }] }, "an empty chat"],
  [{ messages: [{ role: "narrator", content: "x" }] }, 'a message of the unknown role "narrator"'],
  [
    { messages: [{ role: "__proto__", content: "x" }] },
    'a message of the unknown role "__proto__"',
  ],
  [{ messages: [{ role: "user", content: null }] }, "a message without text"],
  [
    { messages: [{ role: "user", content: [{ type: "image" }] }] },
    'a message with a part of the kind "image"',
  ],
  [{ prompt: "Q", completion: "A", label: false }, "an answer that is labelled as bad"],
  [{ choices: [] }, "answers without their questions"],
  [{ text: "\n" }, "an empty text"],
  [7, "neither an object nor a text"],
])("%j is not read: %s", (row, reason) => {
  expect(readOne(row)).toBe(reason);
});
