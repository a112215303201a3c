import { Environment, Interpreter, Template } from "@huggingface/jinja";
import { EngineError } from "../../contract/index.ts";
import { MAX_TEXT_LENGTH, mendCall, type Statement, TemplateRefusal, tooLong } from "./calls.ts";
import { strftime } from "./strftime.ts";

/** Longest template; those of real models have up to 30 kB. */
export const MAX_TEMPLATE_LENGTH = 1 << 20;
/** Largest number of steps of a template, which may loop or grow. */
const MAX_STEPS = 10_000_000;
const STEPS_BETWEEN_LOOKS = 2_000;
const MAX_MILLISECONDS = 2_000;
/** Longest range, as in transformers' sandbox. */
const MAX_ITEMS = 100_000;
/** Longest run of blanks, whose parsing is quadratic; real templates have some dozens. */
const MAX_BLANKS = 2_000;
/** Characters of a text that count as one step, since operations traverse it. */
const CHARS_PER_STEP = 256;

/** A parsed template. */
export type CompiledTemplate = (variables: Readonly<Record<string, unknown>>) => string;

type RuntimeValue = ReturnType<Interpreter["evaluate"]>;

/** Interpreter that counts a template's steps and stops it at the limits. */
class BoundedInterpreter extends Interpreter {
  #steps = 0;
  #nextLook = STEPS_BETWEEN_LOOKS;
  readonly #deadline = performance.now() + MAX_MILLISECONDS;
  /** Parts of a call that were already evaluated for its checks. */
  readonly #read = new Map<Statement, RuntimeValue>();

  override evaluate(
    ...[statement, environment]: Parameters<Interpreter["evaluate"]>
  ): RuntimeValue {
    const known = this.#read.get(statement);
    if (known) {
      this.#read.delete(statement);
      return known;
    }
    const parts: [Statement, RuntimeValue][] = [];
    const mended = mendCall(statement, (part) => {
      const found = this.evaluate(part, environment);
      parts.push([part, found]);
      return found.value;
    });
    if (mended === statement) for (const [part, found] of parts) this.#read.set(part, found);
    const result = super.evaluate(mended, environment);
    const { value } = result;
    const items = Array.isArray(value) ? value.length : 0;
    const chars = typeof value === "string" ? value.length : 0;
    // The items of a list count when it is made: a loop with an empty body does nothing else.
    this.#steps += 1 + items + Math.floor(chars / CHARS_PER_STEP);
    if (items > MAX_ITEMS || chars > MAX_TEXT_LENGTH) throw tooLong();
    if (this.#steps > this.#nextLook) this.#look();
    return result;
  }

  #look(): void {
    this.#nextLook = this.#steps + STEPS_BETWEEN_LOOKS;
    if (this.#steps > MAX_STEPS || performance.now() > this.#deadline) {
      throw new TemplateRefusal("it does not come to an end");
    }
  }
}

/** Parses a Jinja template; `bad-config` for one that is malformed or too long. */
export function compileTemplate(source: string, file: string): CompiledTemplate {
  if (source.length > MAX_TEMPLATE_LENGTH) {
    throw new EngineError(
      "bad-config",
      `The chat template in ${file} has ${source.length} characters; at most ${MAX_TEMPLATE_LENGTH} are read.`,
      { file, length: source.length, limit: MAX_TEMPLATE_LENGTH },
    );
  }
  const blanks = /\s{2001,}/.exec(source)?.[0].length ?? 0;
  if (blanks > MAX_BLANKS) {
    throw new EngineError(
      "bad-config",
      `The chat template in ${file} has ${blanks} blanks in a row; at most ${MAX_BLANKS} are read. Shorten them.`,
      { file, length: blanks, limit: MAX_BLANKS },
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
