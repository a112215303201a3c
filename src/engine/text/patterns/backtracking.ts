import { drawRegex, type RegexGraph } from "./regexGraph.ts";
import { parseRegex, RegexRefusal } from "./regexTree.ts";

/**
 * Why matching with a regular expression (its JavaScript source, flag `u`) could take for ever, or
 * null. Browsers match by trying: a text that can be matched in many ways, and then does not match,
 * is tried in all of them. The ways grow exponentially with the text exactly where a loop of the
 * pattern's automaton can read the same letters along two paths, as in `(a+)+` or `(a|\w)*`; they grow
 * with a power of its length where loops that take the same letters follow one another (Weber and
 * Seidl 1991). Tokenizers need two in a row, `\s*[\r\n]+`; three are refused.
 */
export function whySlow(source: string): string | null {
  try {
    const graph = drawRegex(parseRegex(source));
    const shares = compareLetters(source, graph);
    const loops = findLoops(graph);
    const budget = { left: MOST_STEPS };
    if (loops.some((loop) => isAmbiguous(loop, graph, shares, budget))) {
      return "repeats a part that can read the same text in more than one way";
    }
    const row = longestRow(loops, graph, shares);
    if (row <= MOST_IN_A_ROW) return null;
    return `has ${row} repetitions in a row that can read the same text, more than ${MOST_IN_A_ROW}`;
  } catch (error) {
    if (error instanceof RegexRefusal) return error.message;
    throw error;
  }
}

const MOST_IN_A_ROW = 2;
/** Largest number of steps over all loops; real patterns take some hundreds. */
const MOST_STEPS = 2_000_000;

/** Whether two positions of the pattern can match the same letter. */
type Shares = (a: number, b: number) => boolean;

/**
 * Compares letters over a sample: the Basic Multilingual Plane, every 16th code point beyond, and
 * the pattern's own.
 */
function compareLetters(source: string, { letters }: RegexGraph): Shares {
  const distinct = [...new Set(letters)];
  const kinds = letters.map((letter) => distinct.indexOf(letter));
  let sample: string | undefined;
  const sets: (Uint32Array | undefined)[] = [];
  const setOf = (kind: number) => {
    sample ??= sampleLetters(source);
    const set = sets[kind] ?? bitsOf(distinct[kind]!, sample);
    sets[kind] = set;
    return set;
  };
  /** Cache by pair of letter classes: 1 where they share a letter, 2 where they do not. */
  const known = new Uint8Array(distinct.length ** 2);
  return (a, b) => {
    const [x, y] = [kinds[a]!, kinds[b]!];
    if (x === y) return true;
    const pair = x * distinct.length + y;
    if (known[pair] === 0) {
      const other = setOf(y);
      known[pair] = setOf(x).some((bits, i) => (bits & other[i]!) !== 0) ? 1 : 2;
    }
    return known[pair] === 1;
  };
}

/** Bit set over the sample of the code points that a letter or class matches. */
function bitsOf(letter: string, sample: string): Uint32Array {
  const bits = new Uint32Array(Math.ceil(sample.length / 32));
  for (const { index, 0: run } of sample.matchAll(new RegExp(`(?:${letter})+`, "gu"))) {
    for (let i = index; i < index + run.length; i++) bits[i >> 5]! |= 1 << (i & 31);
  }
  return bits;
}

function sampleLetters(source: string): string {
  const points: number[] = [];
  for (let point = 0; point <= 0xffff; point++) {
    if (point < 0xd800 || point > 0xdfff) points.push(point);
  }
  for (let point = 0x10000; point < 0x30000; point += 16) points.push(point);
  const written = source.replace(/\\u\{?([\da-fA-F]{4,6})\}?/g, (text, hex: string) => {
    const point = Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : text;
  });
  for (const letter of written.toWellFormed()) points.push(letter.codePointAt(0)!);
  return points.map((point) => String.fromCodePoint(point)).join("");
}

/** Strongly connected components of the automaton: its loops. */
function findLoops({ edges }: RegexGraph): readonly ReadonlySet<number>[] {
  const reach = edges.map((_, place) => {
    const seen = new Set<number>();
    const open = [place];
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      for (const to of edges[from]!.keys()) {
        if (seen.has(to)) continue;
        seen.add(to);
        open.push(to);
      }
    }
    return seen;
  });
  const loops: ReadonlySet<number>[] = [];
  const placed = new Set<number>();
  for (const [place, reached] of reach.entries()) {
    if (placed.has(place) || !reached.has(place)) continue;
    const loop = new Set([...reached].filter((other) => reach[other]!.has(place)));
    for (const member of loop) placed.add(member);
    loops.push(loop);
  }
  return loops;
}

/** Whether a loop can read some text along two different paths. */
function isAmbiguous(
  loop: ReadonlySet<number>,
  { letters, edges }: RegexGraph,
  shares: Shares,
  budget: { left: number },
): boolean {
  const size = letters.length;
  const inside = (place: number) => [...edges[place]!].filter(([to]) => loop.has(to));
  const open = [...loop].map((place) => place * size + place);
  const before = new Map<number, number[]>(open.map((pair) => [pair, []]));
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [a, b] = [Math.floor(pair / size), pair % size];
    for (const [x, ways] of inside(a)) {
      if (a === b && ways > 1) return true;
      for (const [y] of inside(b)) {
        if (--budget.left < 0) throw new RegexRefusal("is too entangled to be judged");
        if (!shares(x, y)) continue;
        const next = x * size + y;
        const known = before.get(next);
        if (known) known.push(pair);
        else {
          before.set(next, [pair]);
          open.push(next);
        }
      }
    }
  }
  // Two different positions are ambiguous where they are reachable from an equal pair, and reach
  // one.
  const back = [...loop].map((place) => place * size + place);
  const seen = new Set(back);
  for (let pair = back.pop(); pair !== undefined; pair = back.pop()) {
    for (const from of before.get(pair) ?? []) {
      if (Math.floor(from / size) !== from % size) return true;
      if (!seen.has(from)) {
        seen.add(from);
        back.push(from);
      }
    }
  }
  return false;
}

/** Longest chain of loops in which each can read what separates it from the next. */
function longestRow(
  loops: readonly ReadonlySet<number>[],
  { edges }: RegexGraph,
  shares: Shares,
): number {
  const loopOf = new Map(loops.flatMap((loop, i) => [...loop].map((place) => [place, i] as const)));
  const next = loops.map((loop, own) => {
    const followers = new Set<number>();
    const seen = new Set(loop);
    const open = [...loop];
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      for (const to of edges[from]!.keys()) {
        if (seen.has(to) || ![...loop].some((place) => shares(place, to))) continue;
        seen.add(to);
        open.push(to);
        const other = loopOf.get(to);
        if (other !== undefined && other !== own) followers.add(other);
      }
    }
    return followers;
  });
  const lengths = new Map<number, number>();
  const lengthFrom = (loop: number): number => {
    const known = lengths.get(loop);
    if (known !== undefined) return known;
    const length = 1 + Math.max(0, ...[...next[loop]!].map(lengthFrom));
    lengths.set(loop, length);
    return length;
  };
  return Math.max(0, ...loops.map((_, i) => lengthFrom(i)));
}
