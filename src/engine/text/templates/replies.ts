import { isObject } from "../../core/json.ts";
import type { CharRange, ChatMessage } from "./chat.ts";

/** Changes that templates make to the assistant's text. */
const CHANGES: readonly ((content: string) => string)[] = [
  (content) => content,
  (content) => content.trim(),
  (content) => content.trimStart(),
  (content) => content.trimEnd(),
  afterThinking,
  (content) => afterThinking(content).trim(),
  (content) => afterThinking(content).replace(/^\n+/, ""),
];

const [THOUGHTS, ANSWER] = ["<think>", "</think>"];

/** Text after the thoughts: templates of reasoning models omit earlier thoughts. */
function afterThinking(content: string): string {
  return content.split(ANSWER).at(-1) ?? "";
}

/** Placeholders of a reply: a mark alone, or its thoughts and a mark. */
const WAYS: readonly ((content: string, mark: string) => string)[] = [
  (_, mark) => mark,
  (content, mark) => content.slice(0, content.length - afterThinking(content).length) + mark,
];

/** Renders other messages with the same template and options. */
export type Render = (messages: readonly ChatMessage[], addGenerationPrompt?: boolean) => string;

/**
 * Where the assistant's words stand in a rendered chat, one range for each of `replies` that the
 * template writes, or null where that cannot be told. The chat is rendered once more with marks in
 * their place; the text around the marks and the words between must give the rendered chat again,
 * letter for letter. A reply ends with its token of `ends`; tool calls and thoughts in fields of their
 * own are part of it, so such a reply begins where the template has the assistant speak.
 */
export function locateReplies(
  text: string,
  messages: readonly ChatMessage[],
  ends: readonly string[],
  render: Render,
): ReadonlyMap<ChatMessage, CharRange> | null {
  const replies = messages.filter(({ role }) => role === "assistant");
  const said = replies.filter((reply) => voiceOf(reply).words(reply).trim() !== "");
  // Some templates omit an empty reply, but not a mark.
  const locate = (marked: readonly ChatMessage[]) =>
    locateMarked(text, messages, marked, ends, render);
  return locate(replies) ?? (said.length < replies.length ? locate(said) : null);
}

/** Part of a reply that the mark replaces. */
interface Voice {
  words(reply: ChatMessage): string;
  replaced(reply: ChatMessage, words: string): ChatMessage;
}

const CONTENT: Voice = {
  words: ({ content }) => content,
  replaced: (reply, content) => ({ ...reply, content }),
};

const REASONING: Voice = {
  words: ({ fields }) => String(fields?.reasoning_content ?? ""),
  replaced: (reply, words) => ({
    ...reply,
    fields: { ...reply.fields, reasoning_content: words },
  }),
};

/** Name of the first tool call. */
const TOOL: Voice = {
  words: (reply) => String(firstCall(reply)?.called.name ?? ""),
  replaced(reply, name) {
    const first = firstCall(reply);
    if (!first) return reply;
    const called = { ...first.called, name };
    const call = first.call === first.called ? called : { ...first.call, function: called };
    const tool_calls = [call, ...first.others];
    return { ...reply, fields: { ...reply.fields, tool_calls } };
  },
};

function voiceOf(reply: ChatMessage): Voice {
  const spoken = [CONTENT, TOOL, REASONING].find((voice) => voice.words(reply).trim() !== "");
  return spoken ?? CONTENT;
}

/** First call: OpenAI's `{"type": "function", "function": {"name": …}}`, or its inner object. */
function firstCall({ fields }: ChatMessage) {
  const calls = fields?.tool_calls;
  const [call, ...others]: readonly unknown[] = Array.isArray(calls) ? calls : [];
  if (!isObject(call)) return null;
  return { call, called: isObject(call.function) ? call.function : call, others };
}

/** Whether a reply has parts besides its content that the template writes. */
function hasParts(reply: ChatMessage, text: string): boolean {
  return [TOOL, REASONING].some((voice) => {
    const words = voice.words(reply).trim();
    return words !== "" && text.includes(words);
  });
}

function locateMarked(
  text: string,
  messages: readonly ChatMessage[],
  replies: readonly ChatMessage[],
  ends: readonly string[],
  render: Render,
): ReadonlyMap<ChatMessage, CharRange> | null {
  if (replies.length === 0) return new Map();
  const marked = new Set(replies);
  const spoken = replies.map((reply) => voiceOf(reply).words(reply));
  const mark = unusedMark(text + messages.map(({ content }) => content).join());
  for (const way of WAYS) {
    const rendered = render(
      messages.map((message) => {
        if (!marked.has(message)) return message;
        const voice = voiceOf(message);
        return voice.replaced(message, way(voice.words(message), mark));
      }),
    );
    const around = rendered.split(mark);
    if (around.length !== spoken.length + 1) continue;
    for (const change of CHANGES) {
      const words = spoken.map(change);
      const rebuilt = around.map((part, i) => part + (words[i] ?? "")).join("");
      if (rebuilt !== text) continue;
      const whole = replies.map((reply) => hasParts(reply, text));
      const first = replies[whole.indexOf(true)];
      const prompts = first ? promptsOf(messages.slice(0, messages.indexOf(first)), render) : [];
      return rangesOf({ around, words, spoken, replies, ends, whole, prompts });
    }
  }
  return null;
}

/**
 * Headers that a template writes for a reply: as they are, without trailing white space, and
 * without the `<think>` of a reasoning model.
 */
function promptsOf(before: readonly ChatMessage[], render: Render): readonly string[] {
  const silent = render(before, false);
  const asked = render(before, true);
  const prompt = asked.startsWith(silent) ? asked.slice(silent.length) : "";
  const forms = [prompt, prompt.trimEnd(), prompt.replace(/<think>\s*$/, "")];
  return forms.filter((form) => form.trim() !== "");
}

function rangesOf({
  around,
  words,
  spoken,
  replies,
  ends,
  whole,
  prompts,
}: {
  readonly around: readonly string[];
  readonly words: readonly string[];
  readonly spoken: readonly string[];
  readonly replies: readonly ChatMessage[];
  readonly ends: readonly string[];
  readonly whole: readonly boolean[];
  readonly prompts: readonly string[];
}): ReadonlyMap<ChatMessage, CharRange> | null {
  const longestFirst = [...new Set(ends)].sort((a, b) => b.length - a.length);
  const ranges = new Map<ChatMessage, CharRange>();
  let at = 0;
  for (const [i, reply] of replies.entries()) {
    const before = around[i]!;
    const after = around[i + 1]!;
    const speaks = startOfThoughts(before, spoken[i]!);
    const start = whole[i] ? (startOfTurn(before, prompts) ?? ownStart(reply, speaks)) : speaks;
    const end = whole[i] ? endOfTurn(after, ends) : lengthOfEnd(after, longestFirst);
    if (start === null || end === null) return null;
    const wordsAt = at + before.length;
    ranges.set(reply, { start: at + start, end: wordsAt + words[i]!.length + end });
    at = wordsAt + words[i]!.length;
  }
  return ranges;
}

const lengthOfEnd = (after: string, longestFirst: readonly string[]) =>
  (longestFirst.find((token) => after.startsWith(token)) ?? "").length;

/** Start of a reply: the end of the last header. */
function startOfTurn(before: string, prompts: readonly string[]): number | null {
  for (const prompt of prompts) {
    const at = before.lastIndexOf(prompt);
    if (at >= 0) return at + prompt.length;
  }
  return null;
}

/** Start of a reply without a header, where it begins with its content. */
function ownStart(reply: ChatMessage, speaks: number): number | null {
  return voiceOf(reply) === CONTENT && REASONING.words(reply) === "" ? speaks : null;
}

/** End of the first token that ends a turn. */
function endOfTurn(after: string, ends: readonly string[]): number | null {
  const found = ends.flatMap((token) => {
    const at = token === "" ? -1 : after.indexOf(token);
    return at < 0 ? [] : [{ at, end: at + token.length }];
  });
  found.sort((a, b) => a.at - b.at || b.end - a.end);
  return found[0]?.end ?? null;
}

/** Start of a reply's thoughts before its answer; the answer's start where there are none. */
function startOfThoughts(before: string, content: string): number {
  const thoughts = content.slice(0, content.length - afterThinking(content).length);
  const at = before.lastIndexOf(THOUGHTS);
  const compact = (text: string) => text.replace(THOUGHTS, "").replace(/\s+/g, "");
  const kept = thoughts !== "" && at >= 0 && compact(before.slice(at)) === compact(thoughts);
  return kept ? at : before.length;
}

/** Mark that survives trimming and does not occur in the chat. */
export function unusedMark(text: string): string {
  const used = new Set(text.match(/\ue000\d{1,15}\ue001/g));
  let i = 0;
  while (used.has(markOf(i))) i++;
  return markOf(i);
}

const markOf = (i: number) => `\ue000${i}\ue001`;
