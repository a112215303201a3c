import { Environment, Interpreter, Template } from "@huggingface/jinja";
import { EngineError } from "../../contract/index.ts";
import { isObject } from "../../core/json.ts";
import { strftime } from "./strftime.ts";

/** Templates of real models have up to 30 kB. */
export const MAX_TEMPLATE_LENGTH = 1 << 20;
/** A template comes from whoever wrote the checkpoint: it may loop, and it may grow. */
const MAX_STEPS = 10_000_000;
const STEPS_BETWEEN_LOOKS = 2_000;
const MAX_MILLISECONDS = 2_000;
const MAX_TEXT_LENGTH = 16 << 20;
/** The same as in the sandbox that transformers renders in. */
const MAX_ITEMS = 100_000;

/** A template that can be rendered again and again. */
export type CompiledTemplate = (variables: Readonly<Record<string, unknown>>) => string;

/** Why a template gave no text: its own complaint, or a bound. */
export class TemplateRefusal extends Error {
  override readonly name = "TemplateRefusal";
}

type Statement = Parameters<Interpreter["evaluate"]>[0];
const STRIPS = ["strip", "lstrip", "rstrip"] as const;
type Strip = (typeof STRIPS)[number];
interface StripCall {
  readonly callee: { readonly object: Statement; readonly property: { readonly value: Strip } };
  readonly args: readonly [Statement];
}

/** Whether a statement is `text.strip(letters)` or one of its like; the library keeps its types. */
function isStripCall(statement: unknown): statement is StripCall {
  if (!isObject(statement) || statement.type !== "CallExpression") return false;
  const { callee, args } = statement;
  if (!isObject(callee) || callee.type !== "MemberExpression" || callee.computed) return false;
  const { property } = callee;
  const isStrip = isObject(property) && STRIPS.some((name) => name === property.value);
  return isStrip && Array.isArray(args) && args.length === 1;
}

/** A text without any of these letters at its ends, as in Python. */
function strip(text: string, name: Strip, letters: string): string {
  const all = [...text];
  let [start, end] = [0, all.length];
  while (name !== "rstrip" && start < end && letters.includes(all[start]!)) start += 1;
  while (name !== "lstrip" && start < end && letters.includes(all[end - 1]!)) end -= 1;
  return all.slice(start, end).join("");
}

/** Counts what a template does and stops it where it goes on for too long. */
class BoundedInterpreter extends Interpreter {
  #steps = 0;
  #nextLook = STEPS_BETWEEN_LOOKS;
  readonly #deadline = performance.now() + MAX_MILLISECONDS;

  override evaluate(
    ...[statement, environment]: Parameters<Interpreter["evaluate"]>
  ): ReturnType<Interpreter["evaluate"]> {
    const result =
      this.#evaluateStrip(statement, environment) ?? super.evaluate(statement, environment);
    const { value } = result;
    const items = Array.isArray(value) ? value.length : 0;
    // Whoever makes a list is going to walk it: a loop with an empty body does nothing else.
    this.#steps += 1 + items;
    if (items > MAX_ITEMS || (typeof value === "string" && value.length > MAX_TEXT_LENGTH)) {
      throw new TemplateRefusal("it makes far too long a text");
    }
    if (this.#steps > this.#nextLook) this.#look();
    return result;
  }

  /** `text.strip("\n")` and its like, whose argument the library does not look at. */
  #evaluateStrip(...[statement, environment]: Parameters<Interpreter["evaluate"]>) {
    if (!isStripCall(statement)) return null;
    const { callee, args } = statement;
    const { value: text } = this.evaluate(callee.object, environment);
    const { value: letters } = this.evaluate(args[0], environment);
    if (typeof text !== "string" || typeof letters !== "string") return null;
    const literal = { type: "StringLiteral", value: strip(text, callee.property.value, letters) };
    return super.evaluate(literal as Statement, environment);
  }

  #look(): void {
    this.#nextLook = this.#steps + STEPS_BETWEEN_LOOKS;
    if (this.#steps > MAX_STEPS || performance.now() > this.#deadline) {
      throw new TemplateRefusal("it does not come to an end");
    }
  }
}

/** Reads a Jinja template; `bad-config` for one that is malformed or too long. */
export function compileTemplate(source: string, file: string): CompiledTemplate {
  if (source.length > MAX_TEMPLATE_LENGTH) {
    throw new EngineError(
      "bad-config",
      `The chat template in ${file} has ${source.length} characters; at most ${MAX_TEMPLATE_LENGTH} are read.`,
      { file, length: source.length, limit: MAX_TEMPLATE_LENGTH },
    );
  }
  const program = parse(source, file);
  return (variables) => {
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...GLOBALS, ...variables })) {
      if (value !== undefined) environment.set(name, value);
    }
    const { value } = new BoundedInterpreter(environment).run(program);
    return String(value);
  };
}

function parse(source: string, file: string): Template["parsed"] {
  try {
    return new Template(source).parsed;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The chat template in ${file} is malformed: ${why.slice(0, 200)}.`;
    throw new EngineError("bad-config", message, { file }, error);
  }
}

const GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  raise_exception: (message: unknown) => {
    throw new TemplateRefusal(String(message));
  },
  range: boundedRange,
  strftime_now: (format: unknown) => strftime(new Date(), String(format)),
};

function boundedRange(first: number, end?: number, step = 1): readonly number[] {
  const [start, stop] = end === undefined ? [0, first] : [first, end];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAX_ITEMS)) throw new TemplateRefusal("it counts through far too long a range");
  return Array.from({ length }, (_, i) => start + i * step);
}
