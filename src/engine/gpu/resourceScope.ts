/** Something on the GPU that is given back once. */
interface Held {
  release(): unknown;
}

/** What is given back together: each is kept as it is made, so that a failure half-way leaks nothing. */
export class HeldTogether {
  readonly #all: Held[] = [];

  keep<T extends Held>(one: T): T {
    this.#all.push(one);
    return one;
  }

  release(): void {
    for (const one of this.#all) one.release();
  }
}
