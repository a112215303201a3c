import { expect, test } from "vitest";
import { makeCells } from "./cells.ts";
import { groupDomains } from "./domains.ts";

const score = (nats: number, bytes = 10) => ({ nats, bytes, tokens: 5 });
const NO_DOMAINS = new Map();
const unscored = { nats: 0, bytes: 0, tokens: 0 };

test("a cell sums its rows, and differs from the first model on the same dataset only", () => {
  const cells = makeCells(
    [
      { model: "a", dataset: "x", scores: [score(10), score(20)] },
      { model: "a", dataset: "y", scores: [score(1), score(1)] },
      { model: "b", dataset: "x", scores: [score(5), score(10)] },
    ],
    NO_DOMAINS,
  );
  expect(cells.every((cell) => cell.domains === undefined)).toBe(true);
  expect(cells[0]).toMatchObject({ rows: 2, tokens: 10, bytes: 20, natsPerToken: 3 });
  expect(cells[0]?.bitsPerByte).toBeCloseTo(1.5 / Math.LN2, 12);
  expect(cells[0]?.difference).toBeNull();
  expect(cells[1]?.difference).toBeNull();
  expect(cells[2]?.difference?.mean).toBeCloseTo(-0.75 / Math.LN2, 12);
});

test("rows that one model could not be asked for count for neither in the difference", () => {
  const [, b] = makeCells(
    [
      { model: "a", dataset: "x", scores: [score(10), score(10), score(99)] },
      { model: "b", dataset: "x", scores: [score(20), score(20), unscored] },
    ],
    NO_DOMAINS,
  );
  expect(b).toMatchObject({ rows: 2, bytes: 20 });
  expect(b?.difference?.mean).toBeCloseTo(1 / Math.LN2, 12);
});

test("a model that no row could be asked for has no figures, and is no reason to fail", () => {
  const [cell] = makeCells([{ model: "a", dataset: "x", scores: [unscored] }], NO_DOMAINS);
  expect(cell).toMatchObject({ rows: 0, natsPerToken: null, bitsPerByte: null, interval: null });
});

test("each domain has the figures of its own rows, and its own difference", () => {
  const domains = ["maths", "tales", "maths", "tales", null];
  const [a, b] = makeCells(
    [
      { model: "a", dataset: "x", scores: [10, 20, 10, 20, 30].map((nats) => score(nats)) },
      {
        model: "b",
        dataset: "x",
        scores: [5, 40, 5, 40].map((nats) => score(nats)).concat(unscored),
      },
    ],
    new Map([["x", groupDomains(domains)]]),
  );
  expect(a?.domains?.map(({ domain, rows, bytes }) => [domain, rows, bytes])).toEqual([
    [{ kind: "named", name: "maths" }, 2, 20],
    [{ kind: "named", name: "tales" }, 2, 20],
    [{ kind: "none" }, 1, 10],
  ]);
  const [maths, tales, none] = b?.domains ?? [];
  expect(maths?.difference?.mean).toBeCloseTo(-0.5 / Math.LN2, 12);
  expect(tales?.difference?.mean).toBeCloseTo(2 / Math.LN2, 12);
  expect(none).toMatchObject({ rows: 0, bitsPerByte: null, interval: null, difference: null });
  // Bits per byte of the whole are those of all bytes, not the mean of the domains'.
  expect(b?.bitsPerByte).toBeCloseTo(90 / 40 / Math.LN2, 12);
});
