import { refuseTokenizer } from "../patterns/pattern.ts";

/** Real tokenizers have up to ten. Each goes through all of a text, and may bring a pattern to judge. */
const MOST_STEPS = 24;

/** Counts the steps of one part of a tokenizer.json, sequences and what is in them. */
export class StepCount {
  readonly #part: string;
  #steps = 0;

  constructor(part: string) {
    this.#part = part;
  }

  /** `bad-config` where there are more than 24, within each other or in a row. */
  add(): void {
    this.#steps += 1;
    if (this.#steps > MOST_STEPS) {
      refuseTokenizer(`its ${this.#part} has more than ${MOST_STEPS} steps`);
    }
  }
}
