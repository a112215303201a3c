/** One turn of a chat. */
export interface ChatMessage {
  /** `system`, `user`, `assistant` or `tool` in most templates. */
  readonly role: string;
  readonly content: string;
  /**
   * Further fields that templates read: `tool_calls`, `reasoning_content`, `name`, `tool_call_id`;
   * `content` where it is null beside tool calls.
   */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** False for a reply that is not learned, such as one with `weight: 0` in a dataset. */
  readonly learned?: false;
}

/** A range of a text, [start, end), in UTF-16 units. */
export interface CharRange {
  readonly start: number;
  readonly end: number;
}

/** A chat as one text, with the ranges that are learned. */
export interface RenderedChat {
  readonly text: string;
  /**
   * Learned ranges in order: those in `{% generation %}`, else the assistant's replies, each with
   * the token that ends its turn. Empty replies that the template omits are not included.
   */
  readonly replies: readonly CharRange[];
}

export interface RenderOptions {
  /** Whether the text ends with the header of a reply. */
  readonly addGenerationPrompt: boolean;
  /** Tools for templates that take them; null for none. */
  readonly tools?: readonly unknown[] | null;
  /** Date for templates that ask; by default today. */
  readonly today?: Date;
}

/** A template with its variables besides the chat: plain data that a thread can receive. */
export interface TemplateParts {
  readonly source: string;
  /** File that it was found in, for error messages. */
  readonly file: string;
  /** Special tokens: `bos_token` and others. */
  readonly tokens: Readonly<Record<string, unknown>>;
  /** Tokens that can end a turn. */
  readonly ends: readonly string[];
}
