import type { CharRange, ChatMessage } from "./template.ts";

/** What templates do to the assistant's words. */
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

/** Templates of thinking models leave earlier thoughts out. */
function afterThinking(content: string): string {
  return content.split(ANSWER).at(-1) ?? "";
}

/** What stands for a reply: a mark alone, or its thoughts, which a template may write anew, and a mark. */
const WAYS: readonly ((content: string, mark: string) => string)[] = [
  (_, mark) => mark,
  (content, mark) => content.slice(0, content.length - afterThinking(content).length) + mark,
];

/**
 * Where the assistant's words stand in a rendered chat, or null where that cannot be told. The chat
 * is rendered once more with marks in their place; the text around the marks and the words between
 * must give the rendered chat again, letter for letter.
 */
export function locateReplies(
  text: string,
  messages: readonly ChatMessage[],
  ends: readonly string[],
  render: (messages: readonly ChatMessage[]) => string,
): readonly CharRange[] | null {
  const replies = messages.filter(({ role }) => role === "assistant");
  const said = replies.filter(({ content }) => content.trim() !== "");
  // Some templates leave an empty reply out, and would not leave out a mark.
  const locate = (marked: readonly ChatMessage[]) =>
    locateMarked(text, messages, marked, ends, render);
  return locate(replies) ?? (said.length < replies.length ? locate(said) : null);
}

function locateMarked(
  text: string,
  messages: readonly ChatMessage[],
  replies: readonly ChatMessage[],
  ends: readonly string[],
  render: (messages: readonly ChatMessage[]) => string,
): readonly CharRange[] | null {
  if (replies.length === 0) return [];
  const spoken = replies.map(({ content }) => content);
  const mark = unusedMark(text + messages.map(({ content }) => content).join());
  for (const way of WAYS) {
    const marked = render(
      messages.map((message) =>
        replies.includes(message) ? { ...message, content: way(message.content, mark) } : message,
      ),
    );
    const around = marked.split(mark);
    if (around.length !== spoken.length + 1) continue;
    for (const change of CHANGES) {
      const words = spoken.map(change);
      const rebuilt = around.map((part, i) => part + (words[i] ?? "")).join("");
      if (rebuilt === text) return rangesOf(around, words, spoken, ends);
    }
  }
  return null;
}

function rangesOf(
  around: readonly string[],
  words: readonly string[],
  spoken: readonly string[],
  ends: readonly string[],
): readonly CharRange[] {
  const longestFirst = [...new Set(ends)].sort((a, b) => b.length - a.length);
  let at = 0;
  return words.map((word, i) => {
    const start = at + startOfThoughts(around[i]!, spoken[i]!);
    const after = around[i + 1]!;
    const end = longestFirst.find((token) => after.startsWith(token)) ?? "";
    at += around[i]!.length + word.length;
    return { start, end: at + end.length };
  });
}

/** Where a reply's thoughts begin in what stands before its answer; its end, where they do not. */
function startOfThoughts(before: string, content: string): number {
  const thoughts = content.slice(0, content.length - afterThinking(content).length);
  const at = before.lastIndexOf(THOUGHTS);
  const compact = (text: string) => text.replace(THOUGHTS, "").replace(/\s+/g, "");
  const kept = thoughts !== "" && at >= 0 && compact(before.slice(at)) === compact(thoughts);
  return kept ? at : before.length;
}

/** A word that no trimming touches and that the chat does not hold. */
function unusedMark(text: string): string {
  for (let i = 0; ; i++) {
    const mark = `\ue000${i}\ue001`;
    if (!text.includes(mark)) return mark;
  }
}
