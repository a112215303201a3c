import { expect, test } from "vitest";
import { checkBatch, type TrainBatch } from "./batch.ts";

const LIMITS = { vocabSize: 10, tokens: 6, contextLength: 4 };
const batch = (change: Partial<TrainBatch> = {}): TrainBatch => ({
  ids: Uint32Array.from([1, 2, 3, 4, 9]),
  documents: [0, 3],
  labels: Uint32Array.from([2, 3, 99, 9, 99]),
  weights: Float32Array.from([1, 0.5, 0, 1, 0]),
  fused: {
    starts: Uint32Array.from([0, 2, 2, 3, 3, 3]),
    ids: Uint32Array.from([1, 9, 3]),
    probabilities: Float32Array.from([0.5, 0.5, 1]),
  },
  lambda: 0.9,
  ...change,
});

test("a batch that holds together passes; labels that do not count are not read", () => {
  expect(() => checkBatch(batch(), LIMITS)).not.toThrow();
  expect(() => checkBatch(batch({ fused: null }), LIMITS)).not.toThrow();
});

const fused = (change: object) => ({ fused: { ...batch().fused!, ...change } });
test.each([
  ["tokens", { ids: new Uint32Array(0) }, /0 tokens/],
  ["room", { ids: new Uint32Array(7) }, /7 tokens; .* 1 to 6/],
  ["labels", { labels: new Uint32Array(4) }, /4 labels/],
  ["weights", { weights: new Float32Array(4) }, /4 weights/],
  ["a weight", { weights: Float32Array.from([1, Number.NaN, 0, 1, 0]) }, /position 1/],
  ["a weight from 0 on", { weights: Float32Array.from([1, -1, 0, 1, 0]) }, /position 1/],
  ["λ", { lambda: 1.5 }, /λ is 1.5/],
  ["tokens of the vocabulary", { ids: Uint32Array.from([1, 2, 10, 4, 9]) }, /10 is no token/],
  ["labels of it", { labels: Uint32Array.from([2, 11, 0, 9, 0]) }, /11 is no label/],
  ["fused tokens of it", fused({ ids: Uint32Array.from([1, 10, 3]) }), /10 is no fused token/],
  ["a first document at 0", { documents: [1, 3] }, /Document 0/],
  ["a document", { documents: [] }, /start of a document/],
  ["documents that ascend", { documents: [0, 3, 3] }, /Document 1/],
  ["documents in the text", { documents: [0, 2, 5] }, /Document 2/],
  ["documents within the context", { documents: [0] }, /5 tokens, .* 4 positions/],
  ["a start for every token", fused({ starts: Uint32Array.from([0, 2, 3]) }), /starts/],
  ["starts that ascend", fused({ starts: Uint32Array.from([0, 2, 1, 3, 3, 3]) }), /starts/],
  ["as many probabilities", fused({ probabilities: new Float32Array(2) }), /starts/],
])("a batch without %s is refused", (_, change, message) => {
  expect(() => checkBatch(batch(change), LIMITS)).toThrow(
    expect.objectContaining({ code: "usage", message: expect.stringMatching(message) }),
  );
});
