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
import type { ChatMessage, RenderedChat, RenderOptions, TemplateParts } from "./chat.ts";
import { MAX_TEMPLATE_LENGTH } from "./jinja.ts";
import type { TemplateWatchdog } from "./task.ts";

/** Chat template of a checkpoint: a program, which runs under the watchdog. */
export interface ChatTemplate {
  readonly source: string;
  /** Text of a chat; `bad-config` with the template's message where it refuses the chat. */
  renderChat(messages: readonly ChatMessage[], options: RenderOptions): Promise<string>;
  /** Text with its learned ranges; `bad-config` where these cannot be located. */
  renderWithReplies(
    messages: readonly ChatMessage[],
    options: RenderOptions,
  ): Promise<RenderedChat>;
}

/** Time limit of the watchdog; the renderer stops itself at its own limits before. */
const MAX_MILLISECONDS = 10_000;

const SPECIAL = ["bos_token", "eos_token", "unk_token", "pad_token"] as const;

/**
 * The chat template of a checkpoint: chat_template.jinja, or `chat_template` of
 * tokenizer_config.json (one, or the one named "default"). Null where it has none, as base models.
 * The tokenizer knows the tokens that can end a turn; without one, tokenizer_config.json is asked.
 */
export async function openChatTemplate(
  files: FileTree,
  tokenizer: Pick<TextTokenizer, "addedTokens"> | null,
  watchdog: TemplateWatchdog,
): Promise<ChatTemplate | null> {
  const config = (await readJson(files, "tokenizer_config.json", MAX_SIDE_FILE_BYTES)) ?? {};
  const special = (await readJson(files, "special_tokens_map.json", MAX_SIDE_FILE_BYTES)) ?? {};
  const found = await findTemplate(files, config);
  if (!found) return null;
  const named = (key: string) =>
    [config[key], special[key]].map(nameOf).find((name) => name !== null);
  const added = tokenizer ? tokenizer.addedTokens : specialContents(config);
  const ends = [...added, named("eos_token") ?? ""].filter((text) => text !== "");
  const tokens = Object.fromEntries(SPECIAL.map((key) => [key, named(key)]));
  return createChatTemplate({ ...found, tokens, ends }, watchdog);
}

/** Text of a checkpoint's chat template, unparsed; null where it has none. */
export async function readChatTemplate(files: FileTree): Promise<string | null> {
  const config = (await readJson(files, "tokenizer_config.json", MAX_SIDE_FILE_BYTES)) ?? {};
  return (await findTemplate(files, config))?.source ?? null;
}

/** Error for a checkpoint without a chat template where one is needed. */
export function missingTemplate(model: string): EngineError {
  return new EngineError(
    "missing-file",
    `${model} has no chat template: neither chat_template.jinja nor chat_template in tokenizer_config.json. Add one of them, or use plain text instead of a chat.`,
    { model },
  );
}

/**
 * A parsed template; `bad-config` for one that is malformed or too long, or cannot be parsed in
 * time.
 */
export async function createChatTemplate(
  parts: TemplateParts,
  watchdog: TemplateWatchdog,
): Promise<ChatTemplate> {
  const { file } = parts;
  const run = (piece: Parameters<TemplateWatchdog["run"]>[2]) =>
    watchdog.run("template", parts, piece, {
      milliseconds: MAX_MILLISECONDS,
      fail: (why) =>
        new EngineError(
          "bad-config",
          `The chat template in ${file} ${why}. Mend it, or use plain text instead of a chat.`,
          { file },
        ),
    });
  await run(null);
  return {
    source: parts.source,
    async renderChat(messages, options) {
      return (await run({ messages, options, finds: false }))!.text;
    },
    async renderWithReplies(messages, options) {
      return (await run({ messages, options, finds: true }))!;
    },
  };
}

async function findTemplate(files: FileTree, config: Readonly<Record<string, unknown>>) {
  return (await readTemplateFile(files)) ?? readTemplateEntry(config.chat_template);
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
