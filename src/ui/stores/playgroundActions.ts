import {
  type ChatTurn,
  type GenerateEvent,
  type LanguageCard,
  type ModelCard,
  type ModelId,
  type Prompt,
  toFailure,
} from "../../engine/contract/index.ts";
import { isModel } from "./compatible.ts";
import {
  appendToken,
  chunkTokens,
  type Exchange,
  MOST_COLUMNS,
  openExchange,
  type PlaygroundState,
} from "./playgroundStore.ts";
import type { Studio } from "./studio.ts";

/** Number of alternatives shown for each token. */
const TOP_COUNT = 10;
/** Milliseconds within which tokens are drawn together: the layout of a long text is slow. */
const DRAWING_MS = 40;

/** Loads which complete models can be run. */
export async function describeModels(studio: Studio): Promise<void> {
  const models = studio.library.getState().models ?? [];
  const whole = models.filter(isModel);
  const described = await Promise.all(
    whole.map(({ id }) =>
      studio.engine.describeLanguage(id).catch((error: unknown): LanguageCard => {
        const unknown = { reads: false, chats: false, contextLength: 0, weightBytes: 0 };
        return { model: id, failure: toFailure(error), ...unknown, streamed: false };
      }),
    ),
  );
  const cards = Object.fromEntries(described.map((card) => [card.model, card]));
  studio.playground.setState({ cards });
}

/** Reason why a model cannot be run, or null. */
export function whyMute(card: LanguageCard | undefined): string | null {
  if (!card) return "Being looked at.";
  if (card.failure) return card.failure.message;
  return card.reads ? null : "It has no tokenizer, so there is no text to give it.";
}

/** Models that stand side by side: the chosen ones, else the last merge and one other. */
export function chosenModels(
  { chosen, cards }: Pick<PlaygroundState, "chosen" | "cards">,
  models: readonly ModelCard[],
): readonly ModelCard[] {
  const able = models.filter(({ id }) => whyMute(cards[id]) === null);
  if (chosen) return chosen.flatMap((id) => able.find((model) => model.id === id) ?? []);
  const merged = able
    .filter(({ origin }) => origin === "merge")
    .toSorted((a, b) => b.createdAt - a.createdAt);
  return [...new Set([...merged.slice(0, 1), ...able])].slice(0, 2);
}

/** Adds or removes a column; a fifth is refused. */
export function toggleColumn(studio: Studio, model: ModelId): void {
  const state = studio.playground.getState();
  const shown = chosenModels(state, studio.library.getState().models ?? []).map(({ id }) => id);
  if (shown.includes(model)) {
    studio.playground.setState({ chosen: shown.filter((id) => id !== model) });
  } else if (shown.length < MOST_COLUMNS) {
    studio.playground.setState({ chosen: [...shown, model] });
  }
}

function columnsFor(studio: Studio, kind: Exchange["kind"]): readonly ModelCard[] {
  const state = studio.playground.getState();
  const shown = chosenModels(state, studio.library.getState().models ?? []);
  return kind === "chat" ? shown.filter(({ id }) => state.cards[id]?.chats) : shown;
}

/** Reason why no prompt can be sent now, or null. */
export function playBlocked(studio: Studio): string | null {
  const { mode, prompt, running } = studio.playground.getState();
  const { environment } = studio.environment.getState();
  if (environment && !environment.gpu.available) return environment.gpu.failure.message;
  if (running) return "The models are answering.";
  if (columnsFor(studio, "text").length === 0) return "Choose a model first.";
  if (mode === "chat" && columnsFor(studio, "chat").length === 0) {
    return "None of the chosen models brings a chat template; use Text.";
  }
  return prompt === "" ? "Write a prompt first." : null;
}

/** Whether a mode shows an exchange. */
export function isShownIn(mode: PlaygroundState["mode"], { kind }: Exchange): boolean {
  return (mode === "chat") === (kind === "chat");
}

/** Clears the present mode's exchanges. */
export function clearColumns(studio: Studio): void {
  const { mode, columns } = studio.playground.getState();
  const kept = Object.entries(columns).map(
    ([id, exchanges]) => [id, exchanges.filter((past) => !isShownIn(mode, past))] as const,
  );
  studio.playground.setState({ columns: Object.fromEntries(kept) });
}

/** Turns of the conversation so far, without failed exchanges. */
function turnsOf(exchanges: readonly Exchange[]): readonly ChatTurn[] {
  return exchanges
    .filter(({ kind, state, text }) => kind === "chat" && state !== "failed" && text !== "")
    .flatMap(({ prompt, text }): readonly ChatTurn[] => [
      { role: "user", content: prompt },
      { role: "assistant", content: text },
    ]);
}

/** Applies an event of a generation to the newest exchange of its column. */
function takeEvent(
  before: Exchange,
  event: GenerateEvent,
  firstAt: number,
  now: number,
): Partial<Exchange> {
  switch (event.type) {
    case "loading":
      return { state: "loading", loading: event };
    case "prompt":
      return { state: "writing", loading: null, promptTokens: event.tokens };
    case "token": {
      const count = before.count + 1;
      const seconds = (now - firstAt) / 1000;
      return {
        state: "writing",
        loading: null,
        chunks: appendToken(before.chunks, event.token),
        count,
        text: before.text + event.text,
        tokensPerSecond: count > 1 && seconds > 0 ? (count - 1) / seconds : null,
      };
    }
    default:
      return event satisfies never;
  }
}

async function answer(studio: Studio, model: ModelId, prompt: Prompt, signal: AbortSignal) {
  const { playground, engine } = studio;
  const { maxTokens, sampling } = playground.getState();
  let firstAt = 0;
  let pending: GenerateEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const events = pending;
    pending = [];
    const now = performance.now();
    playground.change(model, (before) => {
      let last = before;
      for (const event of events) last = { ...last, ...takeEvent(last, event, firstAt, now) };
      return last;
    });
  };
  const onEvent = (event: GenerateEvent) => {
    if (event.type === "token" && firstAt === 0) firstAt = performance.now();
    pending.push(event);
    timer ??= setTimeout(flush, DRAWING_MS);
  };
  try {
    const request = { model, prompt, maxTokens, sampling, topCount: TOP_COUNT };
    const { text, tokensPerSecond, end } = await engine.generate(request, { signal, onEvent });
    flush();
    playground.change(model, () => ({ state: "done", text, tokensPerSecond, end, loading: null }));
  } finally {
    flush();
  }
}

async function read(studio: Studio, model: ModelId, text: string, signal: AbortSignal) {
  const { playground, engine } = studio;
  const onEvent = (event: GenerateEvent) => {
    if (event.type === "loading") {
      playground.change(model, (before) => takeEvent(before, event, 0, 0));
    } else {
      playground.change(model, () => ({ state: "writing", loading: null }));
    }
  };
  const request = { model, text, topCount: TOP_COUNT };
  const { tokens, ...reading } = await engine.readText(request, { signal, onEvent });
  playground.change(model, () => ({
    state: "done",
    reading,
    loading: null,
    chunks: chunkTokens(tokens),
    count: tokens.length,
  }));
}

/** Sends the prompt to every chosen model, one after the other, until stopped. */
export async function runPrompt(studio: Studio, reads: boolean): Promise<void> {
  if (playBlocked(studio) !== null) return;
  const { playground } = studio;
  const { mode, prompt, columns } = playground.getState();
  const kind = reads ? "read" : mode;
  const asked = columnsFor(studio, kind).map(({ id }) => id);
  const signal = playground.begin();
  const told = new Map(asked.map((id) => [id, turnsOf(columns[id] ?? [])]));
  for (const id of asked) {
    // A new text replaces the old one; conversations continue.
    const kept = (columns[id] ?? []).filter((past) => kind === "chat" || past.kind === "chat");
    playground.writeColumn(id, [...kept, openExchange(kind, prompt)]);
  }
  if (kind === "chat") playground.setState({ prompt: "" });
  for (const id of asked) {
    try {
      signal.throwIfAborted();
      if (kind === "read") await read(studio, id, prompt, signal);
      else if (kind === "text") await answer(studio, id, { kind, text: prompt }, signal);
      else {
        const turns: readonly ChatTurn[] = [
          ...(told.get(id) ?? []),
          { role: "user", content: prompt },
        ];
        await answer(studio, id, { kind, turns }, signal);
      }
    } catch (error) {
      const failure = toFailure(error);
      const stopped = failure.code === "cancelled" || signal.aborted;
      playground.change(id, () => ({
        state: stopped ? "stopped" : "failed",
        loading: null,
        failure: stopped ? null : failure,
      }));
    }
  }
  playground.end();
}
