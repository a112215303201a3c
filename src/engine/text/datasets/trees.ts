import { EngineError } from "../../contract/index.ts";
import { isObject } from "../../core/json.ts";
import type { ChatMessage } from "../templates/chat.ts";
import { type Fields, RowProblem, readMessage } from "./messages.ts";

const MAX_TREE_DEPTH = 64;
/** Largest number of characters of messages held until their trees are complete. */
const MOST_CHARS = 2 ** 27;

/** A row before parsing, or the reason why it cannot be parsed. */
export interface RawRow {
  readonly at: number;
  readonly value: unknown;
  readonly problem?: string;
}

/** Path of the top-ranked replies through a message tree. */
export function readTree(
  root: Fields,
  repliesOf: (node: Fields) => readonly Fields[],
): readonly ChatMessage[] | RowProblem {
  const messages: ChatMessage[] = [];
  let node: Fields | undefined = root;
  while (node && messages.length < MAX_TREE_DEPTH) {
    const message = readMessage(node);
    if (message instanceof RowProblem) return message;
    messages.push(message);
    const kept: readonly Fields[] = repliesOf(node).filter((reply) => reply.deleted !== true);
    node = kept.find(({ rank }) => rank !== null && Number(rank) === 0) ?? kept[0];
  }
  return messages;
}

/**
 * Assembles the messages of flat trees (OpenAssistant's `message_id` and `parent_id`): one row per
 * tree, at its first message's position, after all other rows, which pass unchanged.
 */
export async function* assembleTrees(
  rows: AsyncIterable<RawRow>,
  file: string,
): AsyncGenerator<RawRow> {
  const nodes: { readonly at: number; readonly node: Fields }[] = [];
  let chars = 0;
  for await (const row of rows) {
    if (row.problem !== undefined || !isTreeMessage(row.value)) {
      yield row;
      continue;
    }
    chars += String(row.value.text).length;
    if (chars > MOST_CHARS) {
      const message = `${file} has trees of messages of more than ${MOST_CHARS} characters, too many to put together. Use the file of whole trees ("trees.jsonl"), or a part of this one.`;
      throw new EngineError("usage", message, { file, limit: MOST_CHARS });
    }
    nodes.push({ at: row.at, node: row.value });
  }
  const ids = new Set(nodes.map(({ node }) => node.message_id));
  const replies = new Map<unknown, Fields[]>();
  for (const { node } of nodes) {
    const siblings = replies.get(node.parent_id) ?? [];
    siblings.push(node);
    replies.set(node.parent_id, siblings);
  }
  for (const { at, node } of nodes) {
    if (isRoot(node)) {
      const repliesOf = (each: Fields) => replies.get(each.message_id) ?? [];
      const messages = readTree(node, repliesOf);
      if (messages instanceof RowProblem) yield { at, value: null, problem: messages.reason };
      else yield { at, value: { messages } };
    } else if (!ids.has(node.parent_id)) {
      yield { at, value: null, problem: "a reply to a message that is not in the file" };
    }
  }
}

const isRoot = ({ parent_id }: Fields) => parent_id === null || parent_id === "";

function isTreeMessage(value: unknown): value is Fields {
  return (
    isObject(value) &&
    typeof value.message_id === "string" &&
    value.parent_id !== undefined &&
    typeof value.text === "string" &&
    !Array.isArray(value.replies)
  );
}
