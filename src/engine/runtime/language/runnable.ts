import type { Gpu } from "../../gpu/device.ts";
import type { GpuSpace } from "../../gpu/space.ts";
import type { LanguageModel } from "../languageModel.ts";

/** Tokens of cache that a loaded model leaves room for, beside its first use. */
export const USUAL_TOKENS = 1024;

/** How a model fits the free GPU memory. */
export type Room =
  | "whole"
  /** Layers are loaded one after the other, in every pass. */
  | "streamed"
  | "none";

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onLoading?: (doneBytes: number, totalBytes: number, label: string) => void;
}

/** Bytes of GPU memory that reading a text takes. */
export interface ReadingBytes {
  /** Keys and values, while the text is read. */
  readonly cache: number;
  /** Temporary buffers: readbacks of logits, losses and their targets. */
  readonly passing: number;
}

/** A checkpoint that can be run, as far as its headers tell. */
export interface Runnable {
  readonly contextLength: number;
  /** Bytes of its weights on the GPU. */
  readonly weightBytes: number;
  /** GPU memory, beside the weights, to read so many tokens. */
  readingBytes(tokens: number): ReadingBytes;
  /** How it fits, with what reading so many tokens takes. */
  findRoom(space: GpuSpace, tokens: number): Room;
  /** Loads the model; `gpu-memory` where there is no room. */
  load(gpu: Gpu, room: Room, options: LoadOptions): Promise<LanguageModel>;
}
