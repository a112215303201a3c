import { clip, isObject } from "../../core/json.ts";
import type { ChatMessage } from "../templates/chat.ts";

/** Reason why a row cannot be read: a phrase that is the same for rows of a kind. */
export class RowProblem {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

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
/** Fields of a message that templates read besides its text. */
const FIELDS = ["tool_calls", "reasoning_content", "name", "tool_call_id"];
/** Other names of `reasoning_content`. */
const THOUGHTS = ["reasoning", "thinking"];

export function say(role: string, content: string): ChatMessage {
  return { role, content };
}

/** Role in templates' terms, from any of its names. */
export function roleOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  return Object.hasOwn(ROLES, lower) ? ROLES[lower] : undefined;
}

/**
 * Messages of a list: objects with a role and a text; texts, alternately by user and assistant; or
 * pairs of a role and a text or of a question and its answer.
 */
export function readMessages(list: readonly unknown[]): readonly ChatMessage[] | RowProblem {
  const messages: ChatMessage[] = [];
  for (const item of list) {
    const read =
      typeof item === "string"
        ? [say(messages.length % 2 === 0 ? "user" : "assistant", item)]
        : Array.isArray(item)
          ? readTurn(item)
          : one(readMessage(item));
    if (read instanceof RowProblem) return read;
    messages.push(...read);
  }
  return messages;
}

const one = (message: ChatMessage | RowProblem) =>
  message instanceof RowProblem ? message : [message];

function readTurn(turn: readonly unknown[]): readonly ChatMessage[] | RowProblem {
  if (turn.length > 0 && turn.every(isObject)) return readMessages(turn);
  const [first, second] = turn;
  if (turn.length !== 2 || typeof first !== "string" || typeof second !== "string") {
    return new RowProblem("a turn that is no list of two texts");
  }
  const role = roleOf(first);
  return role ? [say(role, second)] : [say("user", first), say("assistant", second)];
}

/**
 * A message of ShareGPT (`from`, `value`) or OpenAI (`role`, `content`), with tool calls, thoughts
 * and weight.
 */
export function readMessage(item: unknown): ChatMessage | RowProblem {
  if (!isObject(item)) return new RowProblem("a message that is no object");
  const named = String(item.role ?? item.from ?? "");
  const role = roleOf(named);
  if (!role) return new RowProblem(`a message of the unknown role ${clip(named)}`);
  const fields = readMessageFields(item);
  if (fields instanceof RowProblem) return fields;
  const given = item.content ?? item.value ?? item.text ?? null;
  const isSilent = given === null && ("tool_calls" in fields || "reasoning_content" in fields);
  const content = isSilent ? "" : readContent(given);
  if (content instanceof RowProblem) return content;
  const weight = item.weight ?? 1;
  if (Number(weight) !== 0 && Number(weight) !== 1) {
    return new RowProblem("a message whose weight is neither 0 nor 1");
  }
  const all: Fields = isSilent ? { ...fields, content: null } : fields;
  return {
    ...say(role, content),
    ...(Object.keys(all).length > 0 && { fields: all }),
    ...(Number(weight) === 0 && { learned: false }),
  };
}

function readMessageFields(item: Fields): Fields | RowProblem {
  const found: Record<string, unknown> = {};
  for (const key of FIELDS) {
    const value = parseList(item[key]);
    const isEmpty = value === null || value === undefined || value === "";
    if (!isEmpty && !(Array.isArray(value) && value.length === 0)) found[key] = plain(value);
  }
  const thoughts = THOUGHTS.map((key) => item[key]).find((value) => typeof value === "string");
  if (thoughts && found.reasoning_content === undefined) found.reasoning_content = thoughts;
  if (isObject(item.function_call) && !found.tool_calls) {
    found.tool_calls = [{ type: "function", function: plain(item.function_call) }];
  }
  if (found.tool_calls !== undefined && !Array.isArray(found.tool_calls)) {
    return new RowProblem("tool_calls that are no list");
  }
  return found;
}

/** A list written as JSON text, as in CSV and Parquet files; other values unchanged. */
export function parseList(value: unknown): unknown {
  if (typeof value !== "string" || !value.trimStart().startsWith("[")) return value;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list : value;
  } catch {
    return value;
  }
}

/** Messages written as JSON text; an answer such as `[1, 2]` stays a text. */
export function parseMessages(value: unknown): unknown {
  const list = parseList(value);
  const isMessage = (item: unknown) =>
    isObject(item) && (item.role !== undefined || item.from !== undefined);
  return Array.isArray(list) && list.length > 0 && list.every(isMessage) ? list : value;
}

/** Converts Parquet's 64-bit integers, which neither JSON nor templates have. */
export function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? Number(each) : each)),
  );
}

/** Text of a message or of its parts; thoughts get the tags that models write. */
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
