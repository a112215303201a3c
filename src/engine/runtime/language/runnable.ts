import type { Gpu } from "../../gpu/device.ts";
import type { GpuSpace } from "../../gpu/space.ts";
import type { LanguageModel } from "../languageModel.ts";

/** Tokens that a model is loaded with room for, beside what its first use asks for. */
export const USUAL_TOKENS = 1024;

/** How a model fits what is free of the GPU's budget. */
export type Room =
  | "whole"
  /** With its layers loaded one after the other, in every pass. */
  | "streamed"
  | "none";

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onLoading?: (doneBytes: number, totalBytes: number, label: string) => void;
}

/** Bytes of GPU memory that one reading takes. */
export interface ReadingBytes {
  /** Keys and values, for as long as it lasts. */
  readonly cache: number;
  /** What comes and goes: readbacks of logits, losses and their targets. */
  readonly passing: number;
}

/** A checkpoint that can be run, as far as its headers tell. */
export interface Runnable {
  readonly contextLength: number;
  /** Bytes of its weights on the GPU. */
  readonly weightBytes: number;
  /** What reading so many tokens takes beside the weights. */
  readingBytes(tokens: number): ReadingBytes;
  /** With what reading so many tokens takes. */
  findRoom(space: GpuSpace, tokens: number): Room;
  /** `gpu-memory` where there is no room. */
  load(gpu: Gpu, room: Room, options: LoadOptions): Promise<LanguageModel>;
}
