import { createStore } from "zustand/vanilla";
import type {
  DatasetId,
  Failure,
  Generation,
  JobId,
  LanguageCard,
  ModelId,
  Reading,
  ReadToken,
  SamplingSettings,
} from "../../engine/contract/index.ts";

/** Largest number of columns. */
export const MOST_COLUMNS = 4;
/** Tokens in a chunk: a new token only redraws the last chunk. */
export const CHUNK_TOKENS = 64;

export const DEFAULT_SAMPLING: SamplingSettings = {
  temperature: 0.8,
  topK: 0,
  topP: 0.95,
  minP: 0,
  repetitionPenalty: 1,
  seed: 1,
};
export const DEFAULT_TOKENS = 128;

export type TokenChunks = readonly (readonly ReadToken[])[];

/** A prompt with one model's answer. */
export interface Exchange {
  readonly kind: "text" | "chat" | "read";
  readonly prompt: string;
  readonly state: "waiting" | "loading" | "writing" | "done" | "stopped" | "failed";
  readonly loading: { readonly doneBytes: number; readonly totalBytes: number } | null;
  readonly promptTokens: number | null;
  readonly chunks: TokenChunks;
  readonly count: number;
  /** Complete characters so far. */
  readonly text: string;
  readonly tokensPerSecond: number | null;
  readonly end: Generation["end"] | null;
  readonly reading: Omit<Reading, "tokens"> | null;
  readonly failure: Failure | null;
}

export interface PlaygroundState {
  readonly tab: "try" | "evaluate";
  /** Language cards of the library's models. */
  readonly cards: Readonly<Record<ModelId, LanguageCard>>;
  /** Chosen models; null: the default two. */
  readonly chosen: readonly ModelId[] | null;
  readonly mode: "text" | "chat";
  readonly prompt: string;
  readonly maxTokens: number;
  readonly sampling: SamplingSettings;
  /** Whether surprisals are shown as numbers. */
  readonly numbers: boolean;
  readonly columns: Readonly<Record<ModelId, readonly Exchange[]>>;
  readonly running: boolean;
  readonly draft: EvaluationDraft;
}

/** Draft of an evaluation, and the evaluation that is shown. */
export interface EvaluationDraft {
  /** Models; null: not chosen. */
  readonly models: readonly ModelId[] | null;
  readonly datasets: readonly DatasetId[] | null;
  /** Reference model; null: the oldest. */
  readonly reference: ModelId | null;
  readonly rows: number;
  /** Puts system texts into the first user turn, for templates without a system role. */
  readonly systemIntoUser: boolean;
  /** Evaluation that is shown; null: the newest finished one. */
  readonly shown: JobId | null;
}

/** A new exchange, before any answer. */
export function openExchange(kind: Exchange["kind"], prompt: string): Exchange {
  return {
    kind,
    prompt,
    state: "waiting",
    loading: null,
    promptTokens: null,
    chunks: [],
    count: 0,
    text: "",
    tokensPerSecond: null,
    end: null,
    reading: null,
    failure: null,
  };
}

/** Chunks with one more token; full chunks stay the same objects. */
export function appendToken(chunks: TokenChunks, token: ReadToken): TokenChunks {
  const last = chunks.at(-1);
  return last && last.length < CHUNK_TOKENS
    ? [...chunks.slice(0, -1), [...last, token]]
    : [...chunks, [token]];
}

/** Tokens in chunks. */
export function chunkTokens(tokens: readonly ReadToken[]): TokenChunks {
  const count = Math.ceil(tokens.length / CHUNK_TOKENS);
  return Array.from({ length: count }, (_, at) =>
    tokens.slice(at * CHUNK_TOKENS, (at + 1) * CHUNK_TOKENS),
  );
}

/** Store of the Playground; conversations last as long as the page. */
export function createPlaygroundStore() {
  const store = createStore<PlaygroundState>(() => ({
    tab: "try",
    cards: {},
    chosen: null,
    mode: "text",
    prompt: "",
    maxTokens: DEFAULT_TOKENS,
    sampling: DEFAULT_SAMPLING,
    numbers: false,
    columns: {},
    running: false,
    draft: {
      models: null,
      datasets: null,
      reference: null,
      rows: 100,
      systemIntoUser: false,
      shown: null,
    },
  }));
  let stopper = new AbortController();
  const writeColumn = (model: ModelId, exchanges: readonly Exchange[]) =>
    store.setState(({ columns }) => ({ columns: { ...columns, [model]: exchanges } }));
  return {
    ...store,
    /** Marks the run as begun; `stop` aborts its signal. */
    begin(): AbortSignal {
      stopper = new AbortController();
      store.setState({ running: true });
      return stopper.signal;
    },
    end: () => store.setState({ running: false }),
    stop: () => stopper.abort(),
    writeColumn,
    /** Changes the newest exchange of a column. */
    change(model: ModelId, change: (before: Exchange) => Partial<Exchange>) {
      const exchanges = store.getState().columns[model] ?? [];
      const last = exchanges.at(-1);
      if (last) writeColumn(model, [...exchanges.slice(0, -1), { ...last, ...change(last) }]);
    },
    draft(change: Partial<EvaluationDraft>) {
      store.setState(({ draft }) => ({ draft: { ...draft, ...change } }));
    },
  };
}
export type PlaygroundStore = ReturnType<typeof createPlaygroundStore>;
