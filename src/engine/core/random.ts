/**
 * The two generators of the project, each the same on every machine; for drawing and resampling, not
 * for secrets. Seeds are kept with results, so neither may ever give other numbers.
 */

/**
 * A number in [0, 1), a pure function of a seed and a counter: 53 bits of two murmur3 finalisers. For
 * what is drawn out of order or resumed: tokens, the order of a training, first values of factors.
 */
export function uniform(seed: number, counter: number): number {
  const high = finalise(finalise(seed) ^ Math.imul(counter, 0x9e3779b9));
  const low = finalise(high ^ Math.imul(counter + 1, 0x85ebca6b) ^ seed);
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

function finalise(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Numbers in [0, 1) from a seed: splitmix32, a hashed counter (Steele, Lea, Flood 2014, in 32
 * bits). For resampling rows and for test data.
 */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
