import type { Interpreter } from "@huggingface/jinja";
import { isObject } from "../../core/json.ts";

export type Statement = Parameters<Interpreter["evaluate"]>[0];

/** Reason why a template gave no text: its own error, or a limit. */
export class TemplateRefusal extends Error {
  override readonly name = "TemplateRefusal";
}

/** Largest text that a template, which comes with a foreign checkpoint, may make. */
export const MAX_TEXT_LENGTH = 16 << 20;

export const tooLong = () => new TemplateRefusal("it makes far too long a text");

/** `operand.name(args)` or `operand | name(args)`. */
interface MethodCall {
  readonly name: string;
  readonly operand: Statement;
  readonly args: readonly Statement[];
}

type Read = (statement: Statement) => unknown;

/**
 * The statement to evaluate: the same, or a replacement for `strip` with letters, which the library
 * ignores. Calls with too large a result are refused before they run.
 */
export function mendCall(statement: Statement, read: Read): Statement {
  const call = readCall(statement);
  if (!call || call.args.length === 0) return statement;
  switch (call.name) {
    case "strip":
    case "lstrip":
    case "rstrip":
      return evaluateStrip(call, read) ?? statement;
    case "replace":
      boundReplace(call, read);
      return statement;
    case "join":
      boundJoin(call, read);
      return statement;
    default:
      return statement;
  }
}

/** Parses a call; the library does not export its statements' types. */
function readCall(statement: unknown): MethodCall | null {
  if (!isObject(statement)) return null;
  if (statement.type === "FilterExpression") {
    const { operand, filter } = statement;
    if (!isObject(filter) || filter.type !== "CallExpression") return null;
    return callOf(filter.callee, operand, filter.args);
  }
  const { callee, args } = statement;
  if (statement.type !== "CallExpression" || !isObject(callee)) return null;
  if (callee.type !== "MemberExpression" || callee.computed) return null;
  return callOf(callee.property, callee.object, args);
}

function callOf(named: unknown, operand: unknown, args: unknown): MethodCall | null {
  if (!isObject(named) || typeof named.value !== "string" || !Array.isArray(args)) return null;
  return { name: named.value, operand: operand as Statement, args };
}

function evaluateStrip({ name, operand, args }: MethodCall, read: Read): Statement | null {
  const [text, letters] = [read(operand), read(args[0]!)];
  if (typeof text !== "string" || typeof letters !== "string") return null;
  return { type: "StringLiteral", value: strip(text, name, letters) } as Statement;
}

/** Text stripped of these letters at its ends, as in Python. */
function strip(text: string, name: string, letters: string): string {
  const all = [...text];
  const taken = new Set(letters);
  let [start, end] = [0, all.length];
  while (name !== "rstrip" && start < end && taken.has(all[start]!)) start += 1;
  while (name !== "lstrip" && start < end && taken.has(all[end - 1]!)) end -= 1;
  return all.slice(start, end).join("");
}

function boundReplace({ operand, args }: MethodCall, read: Read): void {
  const [text, old, made] = [read(operand), read(args[0]!), args[1] ? read(args[1]) : ""];
  if (typeof text !== "string" || typeof old !== "string" || typeof made !== "string") return;
  const most = old === "" ? text.length + 1 : Math.floor(text.length / old.length);
  if (text.length + most * made.length <= MAX_TEXT_LENGTH) return;
  const count = old === "" ? most : text.split(old).length - 1;
  if (text.length + count * (made.length - old.length) > MAX_TEXT_LENGTH) throw tooLong();
}

function boundJoin({ operand, args }: MethodCall, read: Read): void {
  const [items, between] = [read(operand), read(args[0]!)];
  if (!Array.isArray(items) || typeof between !== "string") return;
  const texts: readonly unknown[] = items.map((item) => (isObject(item) ? item.value : item));
  const chars = texts.reduce<number>((sum, text) => sum + String(text ?? "").length, 0);
  if (chars + items.length * between.length > MAX_TEXT_LENGTH) throw tooLong();
}
