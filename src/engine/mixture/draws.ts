import { type DrawKey, philox } from "../merge/methods/taskVectors/philox.ts";

const WORDS = 4;

/** Random words [first, first + count) of a key, each in [0, 2³²). */
function words(key: DrawKey, first: number, count: number): Float64Array {
  const drawn = new Float64Array(count);
  for (let block = Math.floor(first / WORDS); block * WORDS < first + count; block++) {
    const four = philox([block >>> 0, Math.floor(block / 2 ** 32), 0, 0], key);
    for (const [i, word] of four.entries()) {
      const at = block * WORDS + i - first;
      if (at >= 0 && at < count) drawn[at] = word;
    }
  }
  return drawn;
}

/** Draws [first, first + count) of U(−1, 1), a pure function of the key and each index. */
export function uniformDraws(key: DrawKey, first: number, count: number): Float64Array {
  return words(key, first, count).map((word) => (2 * (word + 0.5)) / 2 ** 32 - 1);
}

/**
 * Draws [first, first + count) of N(0, 1), a pure function of the key and each index: pairs by Box and
 * Muller (1958), from words of 32 bits, so none is farther out than 6.7.
 */
export function normalDraws(key: DrawKey, first: number, count: number): Float64Array {
  const start = first - (first % 2);
  const uniform = words(key, start, count + 2);
  return Float64Array.from({ length: count }, (_, i) => {
    const index = first + i;
    const pair = index - (index % 2) - start;
    const radius = Math.sqrt(-2 * Math.log((uniform[pair]! + 0.5) / 2 ** 32));
    const angle = (2 * Math.PI * uniform[pair + 1]!) / 2 ** 32;
    return radius * (index % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });
}
