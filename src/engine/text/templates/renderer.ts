import { EngineError } from "../../contract/index.ts";
import { TemplateRefusal } from "./calls.ts";
import type { CharRange, ChatMessage, RenderedChat, RenderOptions, TemplateParts } from "./chat.ts";
import { generationMarks, readMarked, rewriteGeneration } from "./generation.ts";
import { type CompiledTemplate, compileTemplate } from "./jinja.ts";
import { locateReplies, unusedMark } from "./replies.ts";
import { strftime } from "./strftime.ts";

/** Renders chats on the calling thread. */
export interface Renderer {
  /** Text of a chat; `bad-config` with the template's message where it refuses the chat. */
  renderChat(messages: readonly ChatMessage[], options: RenderOptions): string;
  /** Text with its learned ranges; `bad-config` where these cannot be located. */
  renderWithReplies(messages: readonly ChatMessage[], options: RenderOptions): RenderedChat;
}

/** Parses a template; `bad-config` for one that is malformed or too long. */
export function createRenderer({ source, file, tokens, ends }: TemplateParts): Renderer {
  const { source: rewritten, marksReplies } = rewriteGeneration(source);
  const compiled = compileTemplate(rewritten, file);
  const write = (
    messages: readonly ChatMessage[],
    options: RenderOptions,
    marks: readonly [string, string] | null = null,
  ) =>
    render(compiled, file, {
      ...tokens,
      ...dateOf(options.today),
      ...generationMarks(marks),
      messages: messages.map(({ role, content, fields }) => ({ role, content, ...fields })),
      tools: options.tools ?? null,
      documents: null,
      add_generation_prompt: options.addGenerationPrompt,
    });
  const renderChat: Renderer["renderChat"] = (messages, options) => {
    try {
      return write(messages, options);
    } catch (error) {
      throw systemRefusal(error, messages, (others) => write(others, options), file);
    }
  };

  function marked(
    text: string,
    messages: readonly ChatMessage[],
    options: RenderOptions,
  ): readonly CharRange[] | null {
    const given = text + JSON.stringify(messages);
    const begin = unusedMark(given);
    const marks = [begin, unusedMark(given + begin)] as const;
    const found = readMarked(write(messages, options, marks), marks);
    if (found?.text !== text) return null;
    if (messages.every(({ learned }) => learned !== false)) return found.ranges;
    // Ranges correspond to replies where their numbers are equal.
    const replies = messages.filter(({ role }) => role === "assistant");
    if (replies.length !== found.ranges.length) return null;
    return found.ranges.filter((_, i) => replies[i]!.learned !== false);
  }

  function located(
    text: string,
    messages: readonly ChatMessage[],
    options: RenderOptions,
  ): readonly CharRange[] | null {
    const { addGenerationPrompt } = options;
    const found = locateReplies(text, messages, ends, (others, asks = addGenerationPrompt) =>
      write(others, { ...options, addGenerationPrompt: asks }),
    );
    return (
      found && [...found].flatMap(([{ learned }, range]) => (learned === false ? [] : [range]))
    );
  }

  return {
    renderChat,
    renderWithReplies(messages, options) {
      const text = renderChat(messages, options);
      const replies = (marksReplies ? marked : located)(text, messages, options);
      if (replies) return { text, replies };
      throw new EngineError(
        "bad-config",
        `The chat template in ${file} changes what the assistant says in a way that we cannot follow, so it is not known which part to learn. Mark it in the template with {% generation %} and {% endgeneration %}.`,
        { file },
      );
    },
  };
}

function dateOf(today: Date | undefined): Readonly<Record<string, unknown>> {
  return today ? { strftime_now: (format: unknown) => strftime(today, String(format)) } : {};
}

function render(
  compiled: CompiledTemplate,
  file: string,
  variables: Readonly<Record<string, unknown>>,
): string {
  try {
    try {
      return compiled(variables);
    } catch (error) {
      // Jinja filters lazily: a template may filter missing `tools` and never use the result.
      if (error instanceof TemplateRefusal || variables.tools !== null) throw error;
      return compiled({ ...variables, tools: [] });
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The chat template in ${file} cannot write this chat: ${why.slice(0, 300)}.`;
    throw new EngineError("bad-config", message, { file }, error);
  }
}

/** Error of a template that fails on a system message and renders the chat without it. */
function systemRefusal(
  failure: unknown,
  messages: readonly ChatMessage[],
  write: (messages: readonly ChatMessage[]) => string,
  file: string,
): unknown {
  if (messages[0]?.role !== "system" || !(failure instanceof EngineError)) return failure;
  try {
    write(messages.slice(1));
  } catch {
    return failure;
  }
  return new EngineError(
    "bad-config",
    `The chat template in ${file} takes no system role. Put the system text before the first user turn instead: the setting system-into-user does.`,
    { file, role: "system" },
    failure,
  );
}
