import { expect, test } from "vitest";
import { RowProblem, readRow } from "./datasetRows.ts";

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
  ["text", { text: "T" }, ["text: T"]],
])("the layout %s is read", (_, row, expected) => {
  expect(readOne(row)).toEqual(expected);
});

test.each<[unknown, string]>([
  [{ a: 1, b: 2 }, 'no layout that is known (its keys: "a", "b")'],
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
