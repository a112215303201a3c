import { clip, isObject } from "../../core/json.ts";
import type { ChatMessage } from "../templates/chat.ts";
import { type Fields, parseList, plain, RowProblem, readMessages, say } from "./messages.ts";
import { questionOf, readAnswer, readPair, readSystem } from "./pairs.ts";
import { readTranscript } from "./transcripts.ts";
import { readTree } from "./trees.ts";

/** A chat of a row. */
export interface Chat {
  readonly messages: readonly ChatMessage[];
  /** Questions to ask after the first was answered. */
  readonly followUps?: readonly string[];
  /** Tools, in the form that templates take. */
  readonly tools?: readonly unknown[];
}

type Read = readonly Chat[] | string | RowProblem;

/** A layout of rows. */
interface Layout {
  /** Its columns, for error messages. */
  readonly columns: string;
  /** Chats or text of a row; null for rows of another layout. */
  read(row: Fields): Read | null;
}

const CHATS = ["messages", "conversations", "conversation", "dialog", "dialogue"];
/** Columns that a message names. */
const MOST_COLUMNS = 8;
const TEXTS = ["text", "content", "document", "story"];

/** Supported layouts; the first that accepts a row is used. */
const LAYOUTS: readonly Layout[] = [
  {
    columns: "messages",
    read(row) {
      const key = CHATS.find((name) => row[name] !== undefined && row[name] !== null);
      return key === undefined ? null : readChat(row, key);
    },
  },
  {
    columns: "replies",
    read: (row) => (Array.isArray(row.replies) ? one(readTree(row, repliesOf)) : null),
  },
  {
    columns: "instances",
    read: (row) => (Array.isArray(row.instances) ? readInstances(row, row.instances) : null),
  },
  {
    columns: "turns",
    read: (row) => (Array.isArray(row.turns) ? readTurns(row.turns) : null),
  },
  {
    columns: "data",
    read(row) {
      const list = parseList(row.data);
      return Array.isArray(list) ? one(readMessages(list)) : null;
    },
  },
  {
    columns: "choices",
    read(row) {
      if (!Array.isArray(row.choices)) return null;
      return new RowProblem(
        questionOf(row)
          ? "a question with answers to choose from"
          : "answers without their questions",
      );
    },
  },
  {
    columns: "prompt and completion",
    read(row) {
      const key = questionOf(row);
      return key === undefined ? null : one(readPair(row, key));
    },
  },
  {
    // hh-rlhf has the whole chat in each of the two columns.
    columns: "chosen and rejected",
    read(row) {
      if (row.chosen === undefined) return null;
      const answer = readAnswer(row.chosen);
      if (answer instanceof RowProblem) return answer;
      return answer.some(({ role }) => role === "user")
        ? one(answer)
        : new RowProblem("answers without their questions");
    },
  },
  {
    columns: "text",
    read(row) {
      const text = TEXTS.map((key) => row[key]).find((value) => typeof value === "string");
      return text === undefined ? null : readTextOrChat(text);
    },
  },
];

/** A text, or the chat that it writes out. */
function readTextOrChat(text: string): Read {
  const chat = readTranscript(text);
  return chat ? one(chat) : text;
}

/** Problem of a row without a column that is known; the user may name one. */
export class UnknownLayout extends RowProblem {
  /** The first columns that hold texts. */
  readonly columns: readonly string[];
  constructor(row: Fields) {
    const keys = Object.keys(row).slice(0, MOST_COLUMNS).map(clip).join(", ");
    const known = LAYOUTS.map(({ columns }) => columns).join("; ");
    super(
      `no layout that is known: its columns are ${keys || "none"}; one of these is expected: ${known}; or one that you name as the text column`,
    );
    this.columns = Object.keys(row)
      .filter((key) => typeof row[key] === "string")
      .slice(0, MOST_COLUMNS);
  }
}

/**
 * Chats or text of a row: of the column that was named, where the row has it, else by the first
 * layout that accepts the row.
 */
export function readLayout(row: Fields, textColumn: string | null): Read {
  if (row.label === false) return new RowProblem("an answer that is labelled as bad");
  const named = textColumn !== null && Object.hasOwn(row, textColumn) ? row[textColumn] : undefined;
  if (typeof named === "string") return readTextOrChat(named);
  if (named !== undefined) return new RowProblem("a text column that holds no text");
  for (const layout of LAYOUTS) {
    const read = layout.read(row);
    if (read !== null) return read;
  }
  return new UnknownLayout(row);
}

function one(messages: readonly ChatMessage[] | RowProblem): readonly Chat[] | RowProblem {
  if (messages instanceof RowProblem) return messages;
  if (messages.every(({ content, fields }) => content.trim() === "" && !fields))
    return new RowProblem("an empty chat");
  return [{ messages }];
}

/** Chats in a column: a list of messages or turns, possibly as JSON or as a text. */
function readChat(row: Fields, key: string): readonly Chat[] | RowProblem {
  const given = parseList(row[key]);
  const list = Array.isArray(given) ? readMessages(given) : readText(key, given);
  if (list instanceof RowProblem) return list;
  const chosen = row.chosen === undefined ? [] : readAnswer(row.chosen);
  if (chosen instanceof RowProblem) return chosen;
  const chats = one([...readSystem(row), ...list, ...chosen]);
  const tools = parseList(row.tools);
  if (chats instanceof RowProblem || !Array.isArray(tools) || tools.length === 0) return chats;
  return chats.map((chat) => ({ ...chat, tools: plain(tools) as readonly unknown[] }));
}

function readText(key: string, given: unknown): readonly ChatMessage[] | RowProblem {
  const chat = typeof given === "string" ? readTranscript(given) : null;
  return chat ?? new RowProblem(`${key} that are no list of messages`);
}

function repliesOf(node: Fields): readonly Fields[] {
  return Array.isArray(node.replies) ? node.replies.filter(isObject) : [];
}

function readInstances(row: Fields, instances: readonly unknown[]): readonly Chat[] | RowProblem {
  const chats: Chat[] = [];
  for (const instance of instances) {
    const fields = isObject(instance) ? instance : {};
    const chat = one(readPair({ ...fields, instruction: row.instruction }, "instruction"));
    if (chat instanceof RowProblem) return chat;
    chats.push(...chat);
  }
  return chats.length > 0 ? chats : new RowProblem("a task without instances");
}

function readTurns(turns: readonly unknown[]): readonly Chat[] | RowProblem {
  const asked = turns.map((turn) => (isObject(turn) ? turn.content : turn));
  const texts = asked.filter((text) => typeof text === "string");
  const [first, ...followUps] = texts;
  if (texts.length < turns.length || first === undefined)
    return new RowProblem("a turn without text");
  return [{ messages: [say("user", first)], followUps }];
}
