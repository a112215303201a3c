import { describe, expect, test } from "vitest";
import type { WeightCell } from "../../contract/index.ts";
import { shortenNames, writeHeadline } from "./headline.ts";

const MODELS = ["ember-maths", "ember-drama", "ember-tales"];

function makeCell(
  group: WeightCell["group"],
  layer: number | null,
  shares: readonly number[] | null,
  more: Partial<WeightCell> = {},
): WeightCell {
  return {
    tensor: `${layer}.${group}`,
    layer,
    group,
    column: group,
    shape: [10, 10],
    elementCount: 100,
    shares,
    spread: null,
    change: null,
    locked: false,
    merged: true,
    ...more,
  };
}

/** Six layers of one attention and one MLP matrix each. */
function makeStack(
  attention: (layer: number) => readonly number[] | null,
  mlp: (layer: number) => readonly number[] | null,
): WeightCell[] {
  return Array.from({ length: 6 }, (_, layer) => [
    makeCell("attention", layer, attention(layer)),
    makeCell("mlp", layer, mlp(layer)),
  ]).flat();
}
const say = (cells: readonly WeightCell[], models: readonly string[] = MODELS) =>
  writeHeadline({ models, cells });

const MATHS = [0.6, 0.3, 0.1];
const DRAMA = [0.2, 0.5, 0.3];
const EVEN = [1 / 3, 1 / 3, 1 / 3];

describe("the headline", () => {
  test.each([
    ["stays away without cells", [], ""],
    [
      "stays away while less than half is measured",
      makeStack(
        (l) => (l < 5 ? null : MATHS),
        () => null,
      ),
      "",
    ],
    [
      "says that all share evenly",
      makeStack(
        () => EVEN,
        () => EVEN,
      ),
      "The three models share evenly everywhere.",
    ],
    [
      "says shares that are the same everywhere",
      makeStack(
        () => MATHS,
        () => MATHS,
      ),
      "The shares are the same everywhere: maths 60 %, drama 30 % and tales 10 %.",
    ],
    [
      "says equal weights that do not add up to one",
      makeStack(
        () => [1, 1, 1],
        () => [1, 1, 1],
      ),
      "The three models have the same share everywhere: 100 % each.",
    ],
    [
      "says who leads both kinds of matrices",
      makeStack(
        () => MATHS,
        (layer) => (layer ? MATHS : [0.5, 0.3, 0.2]),
      ),
      "maths leads attention and the MLPs in every layer.",
    ],
    [
      "names both kinds at once where one model leads both on average",
      makeStack(
        (layer) => (layer % 2 ? MATHS : [0.3, 0.4, 0.3]),
        (layer) => (layer % 2 ? MATHS : [0.3, 0.4, 0.3]),
      ),
      "maths leads attention and the MLPs on average.",
    ],
    [
      "says from which layer on another leads",
      makeStack(
        (layer) => (layer < 3 ? MATHS : DRAMA),
        () => MATHS,
      ),
      "maths leads the MLPs in every layer; drama leads attention from layer 3 on.",
    ],
    [
      "does not call two layers of eight a turn",
      makeStack(
        (layer) => (layer < 5 ? MATHS : DRAMA),
        () => EVEN,
      ),
      "maths leads attention on average.",
    ],
    [
      "leaves out a lead of a hair's breadth",
      makeStack(
        (layer) => (layer % 2 ? [0.34, 0.33, 0.33] : [0.33, 0.34, 0.33]),
        (layer) => (layer ? EVEN : MATHS),
      ),
      "maths leads the MLPs on average.",
    ],
    [
      "speaks of all tensors where there is no stack",
      [makeCell("other", null, MATHS), makeCell("embedding", null, DRAMA, { elementCount: 10 })],
      "maths has the largest share overall, 56 % on average.",
    ],
    [
      "says where one stands out, if nobody leads",
      [makeCell("mlp", 4, [0.6, 0.4]), makeCell("mlp", 5, [0.39, 0.61])],
      "No model leads overall; drama stands out most, with 61 % in layer 5.",
    ],
    [
      "names the matrix where its layer has others, and no norm",
      [
        makeCell("attention", 4, [0.4, 0.6]),
        makeCell("mlp", 4, [0.5, 0.5]),
        makeCell("attention", 5, [0.59, 0.41]),
        makeCell("mlp", 5, [0.5, 0.5]),
        makeCell("norm", null, [0.1, 0.9], { shape: [1], elementCount: 1 }),
      ],
      "No model leads overall; drama stands out most, with 60 % in attention of layer 4.",
    ],
  ])("%s", (_, cells, sentence) => {
    const first = cells.find(({ shares }) => shares)?.shares;
    expect(say(cells, MODELS.slice(0, first?.length ?? 3))).toBe(sentence);
  });

  test("names a model that changed nothing before all else", () => {
    const cells = makeStack(
      () => [0.6, 0.4, 0],
      () => DRAMA,
    ).map((cell) => ({
      ...cell,
      change: [0.1, 0.2, 0],
    }));
    expect(say(cells)).toBe("tales did not change any tensor.");
  });

  test("counts the tensors that a model left alone, where nobody leads", () => {
    const cells = [
      makeCell("other", null, [0, 1], { change: [0, 0.1] }),
      makeCell("norm", null, [1, 0], { change: [0.1, 0.1] }),
    ];
    expect(say(cells, ["a-x", "a-y"])).toBe("x did not change 1 tensor.");
  });

  test("of a single model says where its share is least and most", () => {
    const cells = [makeCell("mlp", 0, [0.2]), makeCell("attention", 1, [0.8])];
    expect(say(cells, ["org/other"])).toBe(
      "other has from 20 % in mlp of layer 0 to 80 % in attention of layer 1.",
    );
    expect(say([makeCell("mlp", 0, [0.5])], ["other"])).toBe(
      "other has a share of 50 % everywhere.",
    );
  });

  test("leaves out tensors that are copied", () => {
    const copied = makeCell("norm", null, null, { merged: false });
    expect(say([makeCell("mlp", 0, EVEN), copied, copied, copied])).toContain("evenly");
  });
});

test.each([
  [MODELS, ["maths", "drama", "tales"]],
  [
    ["./out/target-a", "./out/target-b/"],
    ["a", "b"],
  ],
  [
    ["a/model", "b/model"],
    ["a/model", "b/model"],
  ],
  [["solo-model"], ["solo-model"]],
  [
    ["x-1", "x-1-2"],
    ["1", "1-2"],
  ],
  [
    ["same", "same#2"],
    ["same", "same#2"],
  ],
  [
    ["base", "base-chat"],
    ["base", "base-chat"],
  ],
])("%j are shortened without becoming one", (names, short) => {
  expect(shortenNames(names)).toEqual(short);
});
