import { EngineError } from "../../contract/index.ts";
import type { FileTree } from "../../core/bytes.ts";
import { isObject } from "../../core/json.ts";
import type { TextTokenizer } from "../tokenizers/tokenizer.ts";
import {
  MAX_SIDE_FILE_BYTES,
  nameOf,
  readJson,
  readTextFile,
} from "../tokenizers/tokenizerFiles.ts";
import {
  type CompiledTemplate,
  compileTemplate,
  MAX_TEMPLATE_LENGTH,
  TemplateRefusal,
} from "./jinja.ts";
import { locateReplies } from "./replies.ts";
import { strftime } from "./strftime.ts";

/** One turn of a chat. */
export interface ChatMessage {
  /** `system`, `user`, `assistant` or `tool` in most templates. */
  readonly role: string;
  readonly content: string;
}

/** A part of a text, [start, end), in UTF-16 units. */
export interface CharRange {
  readonly start: number;
  readonly end: number;
}

/** A chat as one text, and the parts that a model is to learn. */
export interface RenderedChat {
  readonly text: string;
  /**
   * What the assistant says, each with the token that ends its turn; in order. An empty reply that
   * the template leaves out is not among them.
   */
  readonly replies: readonly CharRange[];
}

export interface RenderOptions {
  /** True: the text ends where the assistant is to speak. */
  readonly addGenerationPrompt: boolean;
  /** Given to templates that want tools; null for none. */
  readonly tools?: readonly unknown[] | null;
  /** The day that a template may ask for; now unless given. */
  readonly today?: Date;
}

/** A checkpoint's own way to write a chat. */
export interface ChatTemplate {
  readonly source: string;
  /** `bad-config` with the template's own words where it refuses the chat. */
  renderChat(messages: readonly ChatMessage[], options: RenderOptions): string;
  /** The same text, with the assistant's parts. `bad-config` where they cannot be told for sure. */
  renderWithReplies(messages: readonly ChatMessage[], options: RenderOptions): RenderedChat;
}

const SPECIAL = ["bos_token", "eos_token", "unk_token", "pad_token"] as const;

/**
 * The chat template of a checkpoint: chat_template.jinja, or `chat_template` of
 * tokenizer_config.json (one, or the one named "default"). Null where it has none, as base models.
 * The tokenizer knows the tokens that can end a turn; without one, tokenizer_config.json is asked.
 */
export async function openChatTemplate(
  files: FileTree,
  tokenizer: Pick<TextTokenizer, "addedTokens"> | null,
): Promise<ChatTemplate | null> {
  const config = (await readJson(files, "tokenizer_config.json", MAX_SIDE_FILE_BYTES)) ?? {};
  const special = (await readJson(files, "special_tokens_map.json", MAX_SIDE_FILE_BYTES)) ?? {};
  const found = (await readTemplateFile(files)) ?? readTemplateEntry(config.chat_template);
  if (!found) return null;
  const named = (key: string) =>
    [config[key], special[key]].map(nameOf).find((name) => name !== null);
  const added = tokenizer ? tokenizer.addedTokens : specialContents(config);
  const ends = [...added, named("eos_token") ?? ""].filter((text) => text !== "");
  const tokens = Object.fromEntries(SPECIAL.map((key) => [key, named(key)]));
  return createChatTemplate(found, { tokens, ends });
}

/** The failure of whoever needs a template where `openChatTemplate` found none. */
export function missingTemplate(model: string): EngineError {
  return new EngineError(
    "missing-file",
    `${model} has no chat template: neither chat_template.jinja nor chat_template in tokenizer_config.json. Add one of them, or use plain text instead of a chat.`,
    { model },
  );
}

/** A template from its source; `ends` are the tokens that can end a turn. */
export function createChatTemplate(
  { source, file }: { readonly source: string; readonly file: string },
  {
    tokens,
    ends,
  }: { readonly tokens: Readonly<Record<string, unknown>>; readonly ends: readonly string[] },
): ChatTemplate {
  const compiled = compileTemplate(source, file);
  const renderChat = (messages: readonly ChatMessage[], options: RenderOptions) =>
    render(compiled, file, {
      ...tokens,
      ...dateOf(options.today),
      messages: messages.map(({ role, content }) => ({ role, content })),
      tools: options.tools ?? null,
      documents: null,
      add_generation_prompt: options.addGenerationPrompt,
    });
  return {
    source,
    renderChat,
    renderWithReplies(messages, options) {
      const text = renderChat(messages, options);
      const replies = locateReplies(text, messages, ends, (others) => renderChat(others, options));
      if (replies) return { text, replies };
      throw new EngineError(
        "bad-config",
        `The chat template in ${file} changes what the assistant says in a way that we cannot follow, so it is not known which part to learn.`,
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
      // Jinja filters lazily: a template may filter `tools` where there are none and never look.
      if (error instanceof TemplateRefusal || variables.tools !== null) throw error;
      return compiled({ ...variables, tools: [] });
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The chat template in ${file} cannot write this chat: ${why.slice(0, 300)}.`;
    throw new EngineError("bad-config", message, { file }, error);
  }
}

async function readTemplateFile(files: FileTree) {
  const file = "chat_template.jinja";
  const source = await readTextFile(files, file, 4 * MAX_TEMPLATE_LENGTH);
  return source === null ? null : { source, file };
}

function readTemplateEntry(entry: unknown) {
  const file = "tokenizer_config.json";
  if (typeof entry === "string") return { source: entry, file };
  if (!Array.isArray(entry)) return null;
  const named = entry.flatMap((item: unknown) =>
    isObject(item) && typeof item.template === "string"
      ? [{ name: String(item.name), source: item.template, file }]
      : [],
  );
  return named.find(({ name }) => name === "default") ?? named[0] ?? null;
}

function specialContents(config: Readonly<Record<string, unknown>>): readonly string[] {
  const decoder = isObject(config.added_tokens_decoder) ? config.added_tokens_decoder : {};
  return Object.values(decoder).flatMap((token) =>
    isObject(token) && typeof token.content === "string" ? [token.content] : [],
  );
}
