import { refuseTokenizer } from "../patterns/pattern.ts";

/**
 * Largest number of steps; real tokenizers have up to ten. Each traverses the whole text and may
 * bring a pattern to analyse.
 */
const MOST_STEPS = 24;

/** Counts the steps of one part of a tokenizer.json, nested sequences included. */
export class StepCount {
  readonly #part: string;
  #steps = 0;

  constructor(part: string) {
    this.#part = part;
  }

  /** `bad-config` for more than 24 steps. */
  add(): void {
    this.#steps += 1;
    if (this.#steps > MOST_STEPS) {
      refuseTokenizer(`its ${this.#part} has more than ${MOST_STEPS} steps`);
    }
  }
}
