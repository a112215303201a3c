import type { Threads } from "../../core/threads.ts";
import { createWatchdog, type Watchdog } from "../../core/watchdog.ts";
import type { ChatMessage, RenderedChat, RenderOptions, TemplateParts } from "./chat.ts";
import { createRenderer } from "./renderer.ts";

/** A chat to render; `finds` also asks for its learned ranges. */
interface TemplatePiece {
  readonly messages: readonly ChatMessage[];
  readonly options: RenderOptions;
  readonly finds: boolean;
}

/** Task for a thread: parses a template, then renders chats; null is answered once it is parsed. */
function templateTask(parts: TemplateParts) {
  const { renderChat, renderWithReplies } = createRenderer(parts);
  return (piece: TemplatePiece | null): RenderedChat | null => {
    if (!piece) return null;
    const { messages, options, finds } = piece;
    return finds
      ? renderWithReplies(messages, options)
      : { text: renderChat(messages, options), replies: [] };
  };
}

/** Tasks of the watchdog's thread: code that comes with checkpoints. */
export const templateTasks = { template: templateTask } as const;
export type TemplateWatchdog = Watchdog<typeof templateTasks>;

/** Watchdog of templates; without threads they run on the calling thread. */
export const watchTemplates = (threads?: Threads): TemplateWatchdog =>
  createWatchdog(templateTasks, threads);
