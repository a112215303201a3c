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

/** How many models stand side by side. */
export const MOST_COLUMNS = 4;
/** Tokens of a column are drawn in pieces of this many, so that a new one redraws only the last. */
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

/** One prompt and what one model made of it. */
export interface Exchange {
  readonly kind: "text" | "chat" | "read";
  readonly prompt: string;
  readonly state: "waiting" | "loading" | "writing" | "done" | "stopped" | "failed";
  readonly loading: { readonly doneBytes: number; readonly totalBytes: number } | null;
  readonly promptTokens: number | null;
  readonly chunks: TokenChunks;
  readonly count: number;
  /** The complete characters so far. */
  readonly text: string;
  readonly tokensPerSecond: number | null;
  readonly end: Generation["end"] | null;
  readonly reading: Omit<Reading, "tokens"> | null;
  readonly failure: Failure | null;
}

export interface PlaygroundState {
  readonly tab: "try" | "evaluate";
  /** What is known about the library's models as language models. */
  readonly cards: Readonly<Record<ModelId, LanguageCard>>;
  /** Null until somebody chose: then the studio proposes two. */
  readonly chosen: readonly ModelId[] | null;
  readonly mode: "text" | "chat";
  readonly prompt: string;
  readonly maxTokens: number;
  readonly sampling: SamplingSettings;
  /** Surprisals as numbers under the tokens. */
  readonly numbers: boolean;
  readonly columns: Readonly<Record<ModelId, readonly Exchange[]>>;
  readonly running: boolean;
  readonly draft: EvaluationDraft;
}

/** An evaluation as it is being put together, and the one whose table is shown. */
export interface EvaluationDraft {
  /** Null: nobody chose yet. */
  readonly models: readonly ModelId[] | null;
  readonly datasets: readonly DatasetId[] | null;
  /** What the others are compared with; null: the oldest of the models. */
  readonly reference: ModelId | null;
  readonly rows: number;
  /** Puts system texts before the first user turn, for templates without a system role. */
  readonly systemIntoUser: boolean;
  /** Null: the newest that is done. */
  readonly shown: JobId | null;
}

/** A prompt that no model has seen yet. */
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

/** One more token at the end; chunks that are full stay the same objects. */
export function appendToken(chunks: TokenChunks, token: ReadToken): TokenChunks {
  const last = chunks.at(-1);
  return last && last.length < CHUNK_TOKENS
    ? [...chunks.slice(0, -1), [...last, token]]
    : [...chunks, [token]];
}

/** All tokens in chunks. */
export function chunkTokens(tokens: readonly ReadToken[]): TokenChunks {
  const count = Math.ceil(tokens.length / CHUNK_TOKENS);
  return Array.from({ length: count }, (_, at) =>
    tokens.slice(at * CHUNK_TOKENS, (at + 1) * CHUNK_TOKENS),
  );
}

/** What the Playground shows and holds; the conversations live as long as the page. */
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
    /** Marks the run as begun; its signal is aborted by `stop`. */
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
