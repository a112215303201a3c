import type { ChatMessage } from "./chat.ts";

/** The chat without system messages: their text stands before that of the first user turn. */
export function systemIntoUser(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const said = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const others = messages.filter(({ role }) => role !== "system");
  const first = others.findIndex(({ role }) => role === "user");
  if (said.length === 0 || first < 0) return messages;
  return others.map((message, i) =>
    i === first ? { ...message, content: [...said, message.content].join("\n\n") } : message,
  );
}
