import fc from "fast-check";
import { expect, test } from "vitest";
import { type CostTable, type TieOrder, warp } from "./dtw.ts";
import { editDistance } from "./editDistance.ts";
import { PairCosts } from "./pairCosts.ts";

type Cost = (i: number, j: number) => number;

/** The definition: the whole matrix, then back by the least neighbour, ties by their order. */
function warpNaively(n: number, m: number, cost: Cost, ties: TieOrder) {
  const sums = Array.from({ length: n }, () => new Float64Array(m));
  const at = (i: number, j: number) => (i < 0 || j < 0 ? Number.POSITIVE_INFINITY : sums[i]![j]!);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const before = Math.min(at(i - 1, j), at(i, j - 1), at(i - 1, j - 1));
      sums[i]![j] = cost(i, j) + (i + j === 0 ? 0 : before);
    }
  }
  const groups: number[][] = Array.from({ length: m }, () => []);
  const sides = ties === "source first" ? ([1, 0] as const) : ([0, 1] as const);
  const steps = [[1, 1], sides, [sides[1], sides[0]]] as const;
  for (let [i, j] = [n - 1, m - 1]; ; ) {
    groups[j]!.unshift(i);
    if (i === 0 && j === 0) break;
    const options = steps.map(([down, across]) => at(i - down, j - across));
    const [down, across] = steps[options.indexOf(Math.min(...options))]!;
    i -= down;
    j -= across;
  }
  return { groups, cost: sums[n - 1]![m - 1]! };
}

function groupsOf({ groups: { offsets, positions } }: ReturnType<typeof warp>) {
  return Array.from({ length: offsets.length - 1 }, (_, at) => [
    ...positions.subarray(offsets[at]!, offsets[at + 1]!),
  ]);
}

const TIES = ["source first", "pivot first"] as const;
/** Multiples of 0.1 whose sums round, zeros, and ties in plenty. */
const COSTS = Float64Array.from([0, 0, 1, 1, 2, 3, 5, 7], (cost, i) =>
  i % 2 === 0 ? cost : cost * 0.1,
);

/** Tables in which the best way is anywhere, or (with `similar`) close to the straight one. */
function tables(n: fc.Arbitrary<number>, m: fc.Arbitrary<number>): fc.Arbitrary<CostTable> {
  return fc
    .record({ n, m, columns: fc.integer({ min: 1, max: 12 }), similar: fc.boolean() })
    .chain(({ n, m, columns, similar }) => {
      const list = (length: number, max: number) =>
        fc.array(fc.nat(max), { minLength: length, maxLength: length });
      const word = (at: number, of: number) => Math.floor((at * 40) / of) % columns;
      return fc.record({
        codes: list(columns * columns, COSTS.length - 1).map((codes) =>
          Uint16Array.from(codes, (code, i) =>
            similar && i % (columns + 1) === 0 ? 0 : similar ? Math.max(code, 4) : code,
          ),
        ),
        columns: fc.constant(columns),
        costs: fc.constant(COSTS),
        rows: list(n, columns - 1).map((words) =>
          Uint32Array.from(words, (other, at) => (similar ? word(at, n) : other)),
        ),
        pivots: list(m, columns - 1).map((words) =>
          Uint32Array.from(words, (other, at) => (similar ? word(at, m) : other)),
        ),
      });
    });
}

function compare(table: CostTable): void {
  const { codes, columns, costs, rows, pivots } = table;
  const cost: Cost = (i, j) => costs[codes[rows[i]! * columns + pivots[j]!]!]!;
  for (const ties of TIES) {
    const expected = warpNaively(rows.length, pivots.length, cost, ties);
    const got = warp(table, ties);
    expect(got.cost).toBe(expected.cost); // the same float64, to the last bit
    expect(groupsOf(got)).toEqual(expected.groups);
  }
}

const few = fc.integer({ min: 1, max: 24 });
const many = fc.integer({ min: 100, max: 260 });

test("costs and groups are those of the definition", () => {
  fc.assert(fc.property(tables(few, few), compare), { numRuns: 300 });
});

test.each([
  ["of many tokens", many, many],
  ["of many pivot tokens", fc.constant(2), many],
  ["of many source tokens", many, fc.constant(2)],
])("texts %s, where not all cells are gone through", (_, n, m) => {
  fc.assert(fc.property(tables(n, m), compare), { numRuns: 12 });
});

test("groups are never empty, and never go back", () => {
  fc.assert(
    fc.property(tables(few, few), (table) => {
      const groups = groupsOf(warp(table, "pivot first"));
      expect(groups.every((group) => group.length > 0)).toBe(true);
      expect(groups[0]![0]).toBe(0);
      expect(groups.at(-1)!.at(-1)).toBe(table.rows.length - 1);
      const all = groups.flat();
      expect(all.every((position, i) => i === 0 || position - all[i - 1]! <= 1)).toBe(true);
      expect(all.every((position, i) => i === 0 || position >= all[i - 1]!)).toBe(true);
    }),
  );
});

test.each(TIES)("a text beside itself gives the identity, %s", (ties) => {
  const words = fc.array(fc.constantFrom("a", "ab", "b", "▁", "▁a"), { minLength: 1 });
  fc.assert(
    fc.property(words, (text) => {
      const spelling = { plain: (id: number) => text[id]!, whole: (id: number) => text[id]! };
      const costs = new PairCosts(spelling, spelling, (distance) => distance);
      const ids = Uint32Array.from(text.keys());
      const warped = warp(costs.between(ids, ids), ties);
      expect(warped.cost).toBe(0);
      expect(groupsOf(warped)).toEqual(text.map((_, at) => [at]));
    }),
  );
});

test("without tokens on one side there are no groups", () => {
  const costs = Float64Array.of(1);
  const table = { codes: new Uint16Array(0), columns: 0, costs };
  const one = Uint32Array.of(0);
  const none = new Uint32Array(0);
  expect(groupsOf(warp({ ...table, rows: none, pivots: one }, "pivot first"))).toEqual([[]]);
  expect(groupsOf(warp({ ...table, rows: one, pivots: none }, "pivot first"))).toEqual([]);
});

test("costs of pairs are the same whether they are kept or not", () => {
  const word = fc.array(fc.constantFrom("a", "b", "▁", "Ġ", "😀"), { maxLength: 5 });
  const words = fc.array(
    word.map((letters) => letters.join("")),
    { minLength: 1, maxLength: 9 },
  );
  fc.assert(
    fc.property(words, words, (source, pivot) => {
      const spell = (all: readonly string[], marker: string) => ({
        plain: (id: number) => all[id]!.replaceAll(marker, ""),
        whole: (id: number) => all[id]!,
      });
      const cost = (distance: number, contained: boolean) => distance * (contained ? 0.1 : 1);
      const costs = new PairCosts(spell(source, "Ġ"), spell(pivot, "▁"), cost);
      const [rows, columns] = [source, pivot].map((all) => Uint32Array.from(all.keys()));
      const expected = source.flatMap((s) =>
        pivot.map((p) => {
          let [a, b] = [s.replaceAll("Ġ", ""), p.replaceAll("▁", "")];
          if (a === "" || b === "") [a, b] = [s, p];
          return cost(editDistance(a, b), a.includes(b) || b.includes(a));
        }),
      );
      for (const part of [1, rows!.length, rows!.length]) {
        const table = costs.between(rows!.subarray(0, part), columns!);
        const got = Array.from(table.rows.subarray(0, part), (row) =>
          Array.from(
            table.pivots,
            (column) => table.costs[table.codes[row * table.columns + column]!],
          ),
        );
        expect(got.flat()).toEqual(expected.slice(0, part * pivot.length));
      }
    }),
  );
});
