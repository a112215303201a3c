import type { Failure } from "./error.ts";
import type { DatasetId, ModelId } from "./ids.ts";

/** Whether and how a checkpoint can be run here; found out from headers and small files alone. */
export interface LanguageCard {
  readonly model: ModelId;
  /** Why it cannot be run, or null. */
  readonly failure: Failure | null;
  /** False where it has no tokenizer that can be read: then there is no text to give it. */
  readonly reads: boolean;
  /** True where it brings a chat template. */
  readonly chats: boolean;
  readonly contextLength: number;
  readonly weightBytes: number;
  /**
   * True where the weights, with room for a usual text, exceed the GPU budget: layers stream through
   * it, slowly.
   */
  readonly streamed: boolean;
}

/** How tokens are drawn. */
export interface SamplingSettings {
  /** 0: always the likeliest token. */
  readonly temperature: number;
  /** Only the k likeliest; 0: all. */
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
  /** Rendered with the model's own template, with the header of a reply at its end. */
  | { readonly kind: "chat"; readonly turns: readonly ChatTurn[] };

/** A token as a model read or drew it. */
export interface ReadToken {
  readonly id: number;
  /** Its own text; tokens that end in the middle of a character show what bytes they hold. */
  readonly text: string;
  /** Surprisal, −ln p, given what stands before; null for the first token. */
  readonly nats: number | null;
  /** What the model held likeliest at this place, the likeliest first. */
  readonly top: readonly { readonly text: string; readonly probability: number }[];
}

export interface GenerateRequest {
  readonly model: ModelId;
  readonly prompt: Prompt;
  readonly maxTokens: number;
  readonly sampling: SamplingSettings;
  /** How many of the likeliest tokens are told at each place, at most 20. */
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
  /** `text`: what is now complete, so that characters never appear in halves. */
  | { readonly type: "token"; readonly token: ReadToken; readonly text: string };

export interface Generation {
  readonly text: string;
  readonly tokens: number;
  /** Without the prompt; null for less than two tokens. */
  readonly tokensPerSecond: number | null;
  readonly end: "stop" | "length";
}

/** A text as a model reads it, token by token. */
export interface Reading {
  readonly tokens: readonly ReadToken[];
  readonly bytes: number;
  readonly nats: number;
  readonly natsPerToken: number | null;
  readonly bitsPerByte: number | null;
}

/** Texts or chats in the library, for evaluation. */
export interface DatasetCard {
  readonly id: DatasetId;
  readonly name: string;
  readonly kind: "text" | "chat" | "mixed";
  readonly rows: number;
  readonly byteLength: number;
  readonly createdAt: number;
  /** What could not be read, by line and reason; the first hundred. */
  readonly problems: readonly string[];
  readonly problemCount: number;
}

/** What rows of a dataset say they are about. */
export type EvaluationDomain =
  | { readonly kind: "named"; readonly name: string }
  /** Rows that say nothing. */
  | { readonly kind: "none" }
  /** All that are rarer than those named: so many. */
  | { readonly kind: "others"; readonly count: number };

/**
 * An interval is told from so many rows on. How much rows differ is itself only guessed from them: from
 * four the guess is off by 40 %, and Student's t makes up for it only where rows are normal.
 */
export const FEWEST_ROWS = 5;

/** Some rows summed up. Intervals hold 95 %, by Student's t over rows; null below `FEWEST_ROWS`. */
export interface EvaluationFigures {
  readonly rows: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly natsPerToken: number | null;
  readonly bitsPerByte: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  /** Bits per byte less the first model's on the same rows. */
  readonly difference: {
    readonly mean: number;
    /** That both models scored; absent in what earlier versions stored. */
    readonly rows?: number;
    readonly interval: readonly [low: number, high: number] | null;
  } | null;
}

/** The rows of one domain. */
export interface DomainFigures extends EvaluationFigures {
  readonly domain: EvaluationDomain;
}

/** One model on one dataset. */
export interface EvaluationCell extends EvaluationFigures {
  readonly model: string;
  readonly dataset: string;
  /** By domain, the same ones for every model; absent where all rows are of one. */
  readonly domains?: readonly DomainFigures[];
}

/** A domain in words. */
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
