/** One turn of a chat. */
export interface ChatMessage {
  /** `system`, `user`, `assistant` or `tool` in most templates. */
  readonly role: string;
  readonly content: string;
  /**
   * What else a template may read: `tool_calls`, `reasoning_content`, `name`, `tool_call_id`; `content`
   * where it is null beside tool calls, which is an empty text above.
   */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** False for a reply that is not learned, as `weight: 0` in a dataset says. */
  readonly learned?: false;
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
   * What is learned, in order: what the template marks with `{% generation %}`, else what the
   * assistant says, each reply with the token that ends its turn. An empty reply that the template
   * leaves out is not among them.
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

/** A template and what it is given besides the chat: plain data, so that a thread can have it. */
export interface TemplateParts {
  readonly source: string;
  /** Where it was found, as errors name it. */
  readonly file: string;
  /** `bos_token` and its like. */
  readonly tokens: Readonly<Record<string, unknown>>;
  /** The tokens that can end a turn. */
  readonly ends: readonly string[];
}
