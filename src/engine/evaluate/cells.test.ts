import { expect, test } from "vitest";
import { makeCells } from "./cells.ts";

const score = (nats: number, bytes = 10) => ({ nats, bytes, tokens: 5 });
const unscored = { nats: 0, bytes: 0, tokens: 0 };

test("a cell sums its rows, and differs from the first model on the same dataset only", () => {
  const cells = makeCells([
    { model: "a", dataset: "x", scores: [score(10), score(20)] },
    { model: "a", dataset: "y", scores: [score(1), score(1)] },
    { model: "b", dataset: "x", scores: [score(5), score(10)] },
  ]);
  expect(cells[0]).toMatchObject({ rows: 2, tokens: 10, bytes: 20, natsPerToken: 3 });
  expect(cells[0]?.bitsPerByte).toBeCloseTo(1.5 / Math.LN2, 12);
  expect(cells[0]?.difference).toBeNull();
  expect(cells[1]?.difference).toBeNull();
  expect(cells[2]?.difference?.mean).toBeCloseTo(-0.75 / Math.LN2, 12);
});

test("rows that one model could not be asked for count for neither in the difference", () => {
  const [, b] = makeCells([
    { model: "a", dataset: "x", scores: [score(10), score(10), score(99)] },
    { model: "b", dataset: "x", scores: [score(20), score(20), unscored] },
  ]);
  expect(b).toMatchObject({ rows: 2, bytes: 20 });
  expect(b?.difference?.mean).toBeCloseTo(1 / Math.LN2, 12);
});

test("a model that no row could be asked for has no figures, and is no reason to fail", () => {
  const [cell] = makeCells([{ model: "a", dataset: "x", scores: [unscored] }]);
  expect(cell).toMatchObject({ rows: 0, natsPerToken: null, bitsPerByte: null, interval: null });
});
