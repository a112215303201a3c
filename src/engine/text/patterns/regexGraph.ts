import { RegexRefusal, type RegexTree } from "./regexTree.ts";

/**
 * Glushkov automaton (1961) of a pattern: which letter can follow which, and in how many ways
 * without a letter between, counted up to two.
 */
export interface RegexGraph {
  /** Letter or class at each position of the pattern. */
  readonly letters: readonly string[];
  /** Positions that can follow each position, with the number of ways. */
  readonly edges: readonly ReadonlyMap<number, number>[];
}

type Ways = ReadonlyMap<number, number>;

/**
 * A part of the automaton: its first and last positions, and the number of ways to match nothing.
 */
interface Part {
  readonly empty: number;
  readonly first: Ways;
  readonly last: Ways;
}

/** Largest number of positions; patterns of real tokenizers have fewer than 80. */
const MAX_LETTERS = 512;
/** Largest number of copies of a repeated part; more count as unbounded. */
const MAX_COPIES = 16;
/** Largest number of parts drawn, nested copies included. */
const MAX_DRAWN = 20_000;
const NOWHERE: Ways = new Map();
const NOTHING: Part = { empty: 1, first: NOWHERE, last: NOWHERE };

/** Automaton of a pattern; `RegexRefusal` where it has more than 512 letters and classes. */
export function drawRegex(tree: RegexTree): RegexGraph {
  const letters: string[] = [];
  const edges: Map<number, number>[] = [];
  let drawn = 0;

  function connect(last: Ways, first: Ways): void {
    for (const [from, ways] of last) {
      const out = edges[from]!;
      for (const [to, more] of first) out.set(to, Math.min(2, (out.get(to) ?? 0) + ways * more));
    }
  }

  function chain(a: Part, b: Part): Part {
    connect(a.last, b.first);
    return {
      empty: Math.min(2, a.empty * b.empty),
      first: add(a.first, b.first, a.empty),
      last: add(b.last, a.last, b.empty),
    };
  }

  function draw(node: RegexTree): Part {
    if (++drawn > MAX_DRAWN) throw new RegexRefusal("repeats repetitions far too often");
    switch (node.kind) {
      case "letter": {
        const place = letters.push(node.source) - 1;
        if (place >= MAX_LETTERS) {
          throw new RegexRefusal(`has more than ${MAX_LETTERS} parts, repeated ones counted each`);
        }
        edges.push(new Map());
        const here = new Map([[place, 1]]);
        return { empty: 0, first: here, last: here };
      }
      case "sequence":
        return node.parts.map(draw).reduce(chain, NOTHING);
      case "choice":
        return node.parts.map(draw).reduce((a, b) => ({
          empty: Math.min(2, a.empty + b.empty),
          first: add(a.first, b.first, 1),
          last: add(a.last, b.last, 1),
        }));
      case "look":
        // A lookaround consumes no letters: the next part begins where it began.
        return { ...NOTHING, first: draw(node.body).first };
      case "loop":
        return drawLoop(node.body, node.min, node.max);
    }
  }

  function drawLoop(body: RegexTree, min: number, max: number): Part {
    if (max === 0) return NOTHING;
    const endless = max > MAX_COPIES;
    const copies = Math.min(min, MAX_COPIES) - (endless ? 1 : 0);
    let whole = NOTHING;
    for (let i = 0; i < copies; i++) whole = chain(whole, draw(body));
    if (endless) {
      const part = draw(body);
      connect(part.last, part.first);
      return chain(whole, min === 0 ? { ...part, empty: 1 } : part);
    }
    return chain(whole, drawOptional(body, max - min));
  }

  /** `(a(a(a)?)?)?`, so that each number of repetitions has only one way. */
  function drawOptional(body: RegexTree, most: number): Part {
    if (most === 0) return NOTHING;
    return { ...chain(draw(body), drawOptional(body, most - 1)), empty: 1 };
  }

  draw(tree);
  return { letters, edges };
}

function add(a: Ways, b: Ways, times: number): Ways {
  if (times === 0 || b.size === 0) return a;
  const sum = new Map(a);
  for (const [place, ways] of b) sum.set(place, Math.min(2, (sum.get(place) ?? 0) + ways * times));
  return sum;
}
