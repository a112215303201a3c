import type { Failure } from "./error.ts";
import type { DatasetId, ModelId } from "./ids.ts";

/** Whether and how a checkpoint can be run here, from headers and small files alone. */
export interface LanguageCard {
  readonly model: ModelId;
  /** Reason why it cannot be run, or null. */
  readonly failure: Failure | null;
  /** Whether it has a supported tokenizer. */
  readonly reads: boolean;
  /** Whether it has a chat template. */
  readonly chats: boolean;
  readonly contextLength: number;
  readonly weightBytes: number;
  /**
   * Whether layers are streamed, slowly: the weights, with room for a usual text, exceed the GPU
   * budget.
   */
  readonly streamed: boolean;
}

/** Sampling settings. */
export interface SamplingSettings {
  /** Temperature; 0: always the likeliest token. */
  readonly temperature: number;
  /** Keeps the k likeliest tokens; 0: all. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
}

export interface ChatTurn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export type Prompt =
  | { readonly kind: "text"; readonly text: string }
  /** A chat, rendered with the model's template, with the header of a reply at its end. */
  | { readonly kind: "chat"; readonly turns: readonly ChatTurn[] };

/** A token that a model read or drew. */
export interface ReadToken {
  readonly id: number;
  /** Text of the token; a part of a character is shown as its bytes. */
  readonly text: string;
  /** Surprisal, −ln p given the tokens before; null for the first token. */
  readonly nats: number | null;
  /** The likeliest tokens at this place, the likeliest first. */
  readonly top: readonly { readonly text: string; readonly probability: number }[];
}

export interface GenerateRequest {
  readonly model: ModelId;
  readonly prompt: Prompt;
  readonly maxTokens: number;
  readonly sampling: SamplingSettings;
  /** Number of likeliest tokens reported at each place, at most 20. */
  readonly topCount: number;
}

export type GenerateEvent =
  | {
      readonly type: "loading";
      readonly doneBytes: number;
      readonly totalBytes: number;
      readonly label: string;
    }
  | { readonly type: "prompt"; readonly tokens: number }
  /** `text`: whole characters that are complete with this token. */
  | { readonly type: "token"; readonly token: ReadToken; readonly text: string };

export interface Generation {
  readonly text: string;
  readonly tokens: number;
  /** Speed without the prompt; null for fewer than two tokens. */
  readonly tokensPerSecond: number | null;
  readonly end: "stop" | "length";
}

/** A text as tokens with their surprisals. */
export interface Reading {
  readonly tokens: readonly ReadToken[];
  readonly bytes: number;
  readonly nats: number;
  readonly natsPerToken: number | null;
  readonly bitsPerByte: number | null;
}

/** A dataset of texts or chats in the library. */
export interface DatasetCard {
  readonly id: DatasetId;
  readonly name: string;
  readonly kind: "text" | "chat" | "mixed";
  readonly rows: number;
  readonly byteLength: number;
  readonly createdAt: number;
  /** Entries that could not be read, by line and reason; the first hundred. */
  readonly problems: readonly string[];
  readonly problemCount: number;
}

/** Domain of rows of a dataset. */
export type EvaluationDomain =
  | { readonly kind: "named"; readonly name: string }
  /** Rows that name no domain. */
  | { readonly kind: "none" }
  /** Domains rarer than those named: `count` of them. */
  | { readonly kind: "others"; readonly count: number };

/**
 * An interval is told from so many rows on. How much rows differ is itself only guessed from them: from
 * four the guess is off by 40 %, and Student's t makes up for it only where rows are normal.
 */
export const FEWEST_ROWS = 5;

/**
 * Scores summed over rows. Intervals are 95 %, by Student's t over rows; null below `FEWEST_ROWS`.
 */
export interface EvaluationFigures {
  readonly rows: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly natsPerToken: number | null;
  readonly bitsPerByte: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  /** Bits per byte minus the first model's on the same rows. */
  readonly difference: {
    readonly mean: number;
    /** Rows that both models scored; absent in results of earlier versions. */
    readonly rows?: number;
    readonly interval: readonly [low: number, high: number] | null;
  } | null;
}

/** Figures of one domain's rows. */
export interface DomainFigures extends EvaluationFigures {
  readonly domain: EvaluationDomain;
}

/** Figures of one model on one dataset. */
export interface EvaluationCell extends EvaluationFigures {
  readonly model: string;
  readonly dataset: string;
  /** Figures by domain, the same domains for every model; absent where all rows are of one. */
  readonly domains?: readonly DomainFigures[];
}

/** Words for a domain. */
export function nameDomain(domain: EvaluationDomain): string {
  switch (domain.kind) {
    case "named":
      return domain.name;
    case "none":
      return "no domain given";
    case "others":
      return domain.count === 1 ? "1 other domain" : `${domain.count} other domains`;
  }
}
