import { clip, isObject } from "../../core/json.ts";
import type { ChatMessage } from "../templates/chat.ts";

/** One example: a text to read, or a chat with something to learn or to answer. */
export type DatasetRow = {
  /** What the row itself says it is about, for tables by domain. */
  readonly domain: string | null;
} & (
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "chat";
      readonly messages: readonly ChatMessage[];
      /** Questions to ask after the first was answered. */
      readonly followUps: readonly string[];
    }
);

/** A row that could not be read; the reason is a phrase that is the same for rows of a kind. */
export class RowProblem {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

type Fields = Readonly<Record<string, unknown>>;

const ROLES: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  prompter: "user",
  question: "user",
  gpt: "assistant",
  assistant: "assistant",
  bot: "assistant",
  model: "assistant",
  chatgpt: "assistant",
  function_call: "assistant",
  answer: "assistant",
  system: "system",
  developer: "system",
  observation: "tool",
  tool: "tool",
  function: "tool",
  ipython: "tool",
};
const CHATS = ["messages", "conversations", "conversation", "dialog", "dialogue"];
const QUESTIONS = ["prompt", "question", "query", "problem", "instruction", "input"];
const ANSWERS = [
  "answer",
  "response",
  "completion",
  "output",
  "chosen",
  "solution",
  "canonical_solution",
  "answers",
  "target",
  "text",
];
/** What a question is about, under it. */
const EXTRAS = ["input", "context"];
const SYSTEMS = ["system", "system_prompt"];
const TEXTS = ["text", "content", "document", "story"];
const DOMAINS = ["domain", "category", "subset", "source"];
const MAX_TREE_DEPTH = 64;

/** The examples of one row of a dataset: one as a rule, several where it lists instances. */
export function readRow(value: unknown): readonly DatasetRow[] | RowProblem {
  if (typeof value === "string") return textRow(value, null);
  if (!isObject(value)) return new RowProblem("neither an object nor a text");
  const domain = DOMAINS.map((key) => value[key]).find((name) => typeof name === "string") ?? null;
  const made = readFields(value);
  if (made instanceof RowProblem) return made;
  if (typeof made === "string") return textRow(made, domain as string | null);
  return made.map(({ messages, followUps = [] }) => ({
    kind: "chat",
    messages,
    followUps,
    domain: domain as string | null,
  }));
}

interface Chat {
  readonly messages: readonly ChatMessage[];
  readonly followUps?: readonly string[];
}

function textRow(text: string, domain: string | null): readonly DatasetRow[] | RowProblem {
  return text.trim() === "" ? new RowProblem("an empty text") : [{ kind: "text", text, domain }];
}

function readFields(row: Fields): readonly Chat[] | string | RowProblem {
  if (row.label === false) return new RowProblem("an answer that is labelled as bad");
  const chat = CHATS.map((key) => row[key]).find(Array.isArray);
  if (chat) return one(readChat(row, chat));
  if (Array.isArray(row.replies)) return one(readTree(row));
  if (Array.isArray(row.instances)) return readInstances(row, row.instances);
  if (Array.isArray(row.turns)) return readTurns(row.turns);
  const question = QUESTIONS.find((key) => row[key] !== undefined && row[key] !== "");
  if (Array.isArray(row.choices)) {
    return new RowProblem(
      question ? "a question with answers to choose from" : "answers without their questions",
    );
  }
  if (question) return one(readPair(row, question));
  const text = TEXTS.map((key) => row[key]).find((value) => typeof value === "string");
  if (text !== undefined) return text;
  const keys = Object.keys(row).slice(0, 8).map(clip).join(", ");
  return new RowProblem(`no layout that is known (its keys: ${keys || "none"})`);
}

function one(messages: readonly ChatMessage[] | RowProblem): readonly Chat[] | RowProblem {
  if (messages instanceof RowProblem) return messages;
  if (messages.every(({ content }) => content.trim() === ""))
    return new RowProblem("an empty chat");
  return [{ messages }];
}

/** ShareGPT (`from`, `value`) and OpenAI (`role`, `content`), with what stands beside the list. */
function readChat(row: Fields, list: readonly unknown[]) {
  const before = readSystem(row);
  const messages = readMessages(list);
  if (messages instanceof RowProblem) return messages;
  const chosen = row.chosen === undefined ? [] : readAnswer(row.chosen);
  if (chosen instanceof RowProblem) return chosen;
  return [...before, ...messages, ...chosen];
}

function readMessages(list: readonly unknown[]): readonly ChatMessage[] | RowProblem {
  const messages: ChatMessage[] = [];
  for (const item of list) {
    const message = readMessage(item);
    if (message instanceof RowProblem) return message;
    messages.push(message);
  }
  return messages;
}

function readMessage(item: unknown): ChatMessage | RowProblem {
  if (!isObject(item)) return new RowProblem("a message that is no object");
  const named = String(item.role ?? item.from ?? "");
  const role = Object.hasOwn(ROLES, named.toLowerCase()) ? ROLES[named.toLowerCase()] : undefined;
  if (!role) return new RowProblem(`a message of the unknown role ${clip(named)}`);
  const content = readContent(item.content ?? item.value ?? item.text);
  return content instanceof RowProblem ? content : say(role, content);
}

/** A text, or parts of it: thoughts get the marks that models write around them. */
function readContent(content: unknown): string | RowProblem {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return new RowProblem("a message without text");
  const texts: string[] = [];
  for (const part of content) {
    const value: unknown = isObject(part) ? (part.text ?? part.value) : null;
    const type = isObject(part) ? String(part.type ?? "text") : "";
    if (typeof value !== "string" || !["text", "reasoning", "tool_call"].includes(type)) {
      return new RowProblem(`a message with a part of the kind ${clip(type)}`);
    }
    texts.push(type === "reasoning" ? `<think>\n${value}\n</think>\n\n` : value);
  }
  return texts.join("");
}

/** A question and its answer, under one of the names that people give them. */
function readPair(row: Fields, key: string): readonly ChatMessage[] | RowProblem {
  const asked = row[key];
  const question = Array.isArray(asked) ? readMessages(asked) : readQuestion(row, key, asked);
  if (question instanceof RowProblem) return question;
  const found = ANSWERS.find(
    (name) => name !== key && row[name] !== undefined && row[name] !== null,
  );
  if (!found) return question;
  const answer = readAnswer(row[found]);
  if (answer instanceof RowProblem) return answer;
  // Some preference data repeats the whole chat in the answer.
  return answer[0]?.role === "user" ? answer : [...question, ...answer];
}

function readQuestion(
  row: Fields,
  key: string,
  asked: unknown,
): readonly ChatMessage[] | RowProblem {
  if (typeof asked !== "string") return new RowProblem(`a ${key} that is no text`);
  const extra = key !== "input" ? (EXTRAS.map((name) => row[name]).find(isSaid) ?? "") : "";
  const before = readSystem(row);
  const history = Array.isArray(row.history) ? row.history : [];
  const earlier = history.flatMap((turn) =>
    Array.isArray(turn) ? [say("user", String(turn[0])), say("assistant", String(turn[1]))] : [],
  );
  return [...before, ...earlier, say("user", extra === "" ? asked : `${asked}\n${extra}`)];
}

/** What stands before a chat or a question, in a field of its own. */
function readSystem(row: Fields): readonly ChatMessage[] {
  const text = SYSTEMS.map((name) => row[name]).find(isSaid);
  return text === undefined ? [] : [say("system", text)];
}

function isSaid(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function readAnswer(answer: unknown): readonly ChatMessage[] | RowProblem {
  if (typeof answer === "string") return [say("assistant", answer)];
  if (Array.isArray(answer)) {
    const first: unknown = answer[0];
    return typeof first === "string" ? [say("assistant", first)] : readMessages(answer);
  }
  if (!isObject(answer)) return new RowProblem("an answer that is no text");
  return Array.isArray(answer.text) ? readAnswer(answer.text) : readMessages([answer]);
}

function readInstances(row: Fields, instances: readonly unknown[]): readonly Chat[] | RowProblem {
  const chats: Chat[] = [];
  for (const instance of instances) {
    const fields = isObject(instance) ? instance : {};
    const chat = one(readPair({ ...fields, instruction: row.instruction }, "instruction"));
    if (chat instanceof RowProblem) return chat;
    for (const each of chat) chats.push(each);
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

/** A tree of replies: the path of those that people ranked first. */
function readTree(root: Fields): readonly ChatMessage[] | RowProblem {
  const messages: ChatMessage[] = [];
  let node: Fields | undefined = root;
  while (node && messages.length < MAX_TREE_DEPTH) {
    const message = readMessage(node);
    if (message instanceof RowProblem) return message;
    messages.push(message);
    const replies: readonly unknown[] = Array.isArray(node.replies) ? node.replies : [];
    const kept = replies.filter(isObject).filter((reply) => reply.deleted !== true);
    node = kept.find((reply) => reply.rank === 0) ?? kept[0];
  }
  return messages;
}

function say(role: string, content: string): ChatMessage {
  return { role, content };
}
