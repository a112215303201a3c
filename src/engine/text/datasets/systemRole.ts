import type { ChatMessage } from "../templates/chat.ts";
import type { DatasetRow } from "./datasetRows.ts";

/** A row whose system texts are moved to the front of the first user turn. */
export function systemIntoUser(row: DatasetRow): DatasetRow {
  return row.kind === "chat" ? { ...row, messages: withoutSystem(row.messages) } : row;
}

function withoutSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const said = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const others = messages.filter(({ role }) => role !== "system");
  const first = others.findIndex(({ role }) => role === "user");
  if (said.length === 0 || first < 0) return messages;
  return others.map((message, i) =>
    i === first ? { ...message, content: [...said, message.content].join("\n\n") } : message,
  );
}
