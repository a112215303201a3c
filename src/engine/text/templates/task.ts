import type { Threads } from "../../core/threads.ts";
import { createWatchdog, type Watchdog } from "../../core/watchdog.ts";
import type { ChatMessage, RenderedChat, RenderOptions, TemplateParts } from "./chat.ts";
import { createRenderer } from "./renderer.ts";

/** A chat to be written; `finds` says whether what is learned is looked for as well. */
interface TemplatePiece {
  readonly messages: readonly ChatMessage[];
  readonly options: RenderOptions;
  readonly finds: boolean;
}

/** Reads a template, then writes one chat after the other; null is answered once it is read. */
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

/** What runs under the watchdog: programs that come with checkpoints. */
export const templateTasks = { template: templateTask } as const;
export type TemplateWatchdog = Watchdog<typeof templateTasks>;

/** Without threads, as in tests, templates run on the calling thread. */
export const watchTemplates = (threads?: Threads): TemplateWatchdog =>
  createWatchdog(templateTasks, threads);
