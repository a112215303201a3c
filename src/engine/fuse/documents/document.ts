import { EngineError } from "../../contract/index.ts";
import type { DatasetRow } from "../../text/datasets/datasets.ts";
import type { CharRange, ChatMessage } from "../../text/templates/chat.ts";
import type { ChatTemplate } from "../../text/templates/template.ts";
import type { TextTokenizer } from "../../text/tokenizers/tokenizer.ts";
import type { DocumentPiece } from "../dataset/records.ts";

/** The pivot's tokenizer and chat template, which documents are written with. */
export interface PivotLanguage {
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate | null;
}

/** Reason why a row makes no document, the same phrase for rows of a kind. */
export class RowRefusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * The pieces of a row. A text is learned, with the token that ends it. Of a chat, as the pivot's
 * template writes it, what the assistant says is learned, with the token that ends each turn.
 * `inTurns`: as FuseChat reads chats, see `takeTurns`.
 */
export async function documentPieces(
  row: DatasetRow,
  pivot: PivotLanguage,
  { inTurns = false }: { readonly inTurns?: boolean } = {},
): Promise<readonly DocumentPiece[] | RowRefusal> {
  if (row.kind === "text") return textPieces(row.text, pivot.tokenizer);
  if (!pivot.template) return new RowRefusal("a chat, and the pivot has no chat template");
  if (row.messages.every(({ role }) => role !== "assistant")) {
    return new RowRefusal("a chat in which the assistant says nothing");
  }
  if (row.messages.some(saysNothing)) {
    return new RowRefusal("a chat with an empty message");
  }
  const messages = inTurns ? takeTurns(row.messages) : row.messages;
  if (messages instanceof RowRefusal) return messages;
  try {
    const chat = await pivot.template.renderWithReplies(messages, {
      addGenerationPrompt: false,
      tools: row.tools ?? null,
    });
    const pieces = chatPieces(chat.text, chat.replies, pivot.tokenizer);
    if (pieces.some(({ supervised }) => supervised)) return pieces;
    return new RowRefusal("a chat in which the assistant says nothing");
  } catch (error) {
    if (!(error instanceof EngineError && error.code === "bad-config")) throw error;
    return new RowRefusal(error.message);
  }
}

/** Whether a message is empty; tool calls and thoughts count as content. */
function saysNothing({ role, content, fields }: ChatMessage): boolean {
  const others = [fields?.tool_calls, fields?.reasoning_content];
  return role !== "system" && content.trim() === "" && others.every((field) => field === undefined);
}

/**
 * A chat as FuseChat's scripts read it: leading turns that are not the user's are left out, except
 * a first system message, and user and assistant alternate from then on.
 */
function takeTurns(messages: readonly ChatMessage[]): readonly ChatMessage[] | RowRefusal {
  const first = messages.findIndex(({ role }) => role !== "system");
  const system = messages.slice(0, first);
  const turns = messages.slice(messages[first]?.role === "user" ? first : first + 1);
  const speaker = (turn: number) => (turn % 2 === 0 ? "user" : "assistant");
  return turns.length > 0 && turns.every(({ role }, i) => role === speaker(i))
    ? [...system, ...turns]
    : new RowRefusal("a chat in which user and assistant do not take turns");
}

function textPieces(text: string, tokenizer: TextTokenizer): readonly DocumentPiece[] {
  const end = endText(tokenizer);
  return [
    { kind: "text", text, supervised: true },
    ...(end === null ? [] : [{ kind: "end", text: end, supervised: true } as const]),
  ];
}

/** Spelling of the end-of-text token; null where the tokenizer has none. */
function endText(tokenizer: TextTokenizer): string | null {
  const id = tokenizer.eosId ?? tokenizer.stopIds[0];
  if (id === undefined) return null;
  const text = new TextDecoder().decode(tokenizer.tokenBytes(id));
  return text === "" ? null : text;
}

/** A control token in a rendered chat. */
interface Control extends CharRange {
  readonly id: number;
}

function chatPieces(
  rendered: string,
  replies: readonly CharRange[],
  tokenizer: TextTokenizer,
): readonly DocumentPiece[] {
  const controls = findControls(rendered, tokenizer);
  // The token at a document's start is each model's own.
  const first = controls[0];
  const begin = first && first.start === 0 && first.id === tokenizer.bosId ? first.end : 0;
  const learned = replies
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => ({ start: withSpace(rendered, start, begin, controls), end }));
  const ends = new Set(tokenizer.stopIds);
  for (const { id, start, end } of controls) {
    if (learned.some((reply) => start < reply.end && end >= reply.end)) ends.add(id);
  }
  const borders = new Set([begin, rendered.length]);
  for (const { start, end } of [...controls, ...learned]) borders.add(start).add(end);
  for (const { start, end } of controls) {
    // A control token absorbs neighbouring white space, such as a reply's first.
    for (const at of borders) if (at > start && at < end) borders.delete(at);
  }
  const places = [...borders].filter((at) => at >= begin).sort((a, b) => a - b);
  return places.slice(1).map((end, i): DocumentPiece => {
    const start = places[i]!;
    const control = controls.find((each) => each.start === start && each.end === end);
    const kind = !control ? "text" : ends.has(control.id) ? "end" : "control";
    const supervised = learned.some((reply) => reply.start < end && start < reply.end);
    return { kind, text: rendered.slice(start, end), supervised };
  });
}

function findControls(rendered: string, tokenizer: TextTokenizer): readonly Control[] {
  const { ids, spans } = tokenizer.encode(rendered, { specialTokens: false });
  const stops = new Set(tokenizer.stopIds);
  return [...ids].flatMap((id, i) => {
    const [start, end] = [spans.chars[i]!, spans.chars[i + 1]!];
    return end > start && (tokenizer.isSpecial(id) || stops.has(id)) ? [{ id, start, end }] : [];
  });
}

/**
 * Range of a reply with the space before it: most tokenizers join a space with the word after it.
 */
function withSpace(
  text: string,
  start: number,
  begin: number,
  controls: readonly CharRange[],
): number {
  const before = start - 1;
  const free = before >= begin && !controls.some((each) => before < each.end && start > each.start);
  return free && text[before] === " " ? before : start;
}
