import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { GpuProvider } from "../gpu/device.ts";
import { TileSlot } from "../gpu/tiles/tileSlot.ts";
import type { Decision, MergeMethod } from "./method.ts";
import { findMethod } from "./registry.ts";
import { type Law, laws, statedAtLeast } from "./testLaws.ts";

let gpuProvider: GpuProvider;
beforeAll(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterAll(async () => (await gpuProvider.get()).destroy());
afterEach(() => vi.restoreAllMocks());

const lawOf = (words: string): Law => {
  const law = laws.find(({ says }) => says.includes(words));
  if (!law) throw new Error(`There is no law about "${words}"`);
  return law;
};

/** A method that decides otherwise. */
function deciding(id: string, change: (decision: Decision) => Decision): MergeMethod {
  const method = findMethod(id);
  return { ...method, decide: (unit) => method.decide(unit).map(change) };
}

const scale = (values: readonly number[] | null, by: number) => values!.map((v) => v * by);

/** For each law methods that break it, each of another kind. */
const MUTANTS: readonly (readonly [law: string, mutant: string, method: () => MergeMethod])[] = [
  [
    "reference",
    "an elementwise method whose constants are 1 % too large",
    () =>
      deciding("task_arithmetic", ({ constants, shares }) => {
        return { constants: scale([...constants], 1.01), shares };
      }),
  ],
  [
    "reference",
    "a span method whose last model counts 1 % more",
    () =>
      deciding("model_stock", ({ constants, shares }) => {
        return { constants: constants.map((c, i) => (i === 2 ? 1.01 * c : c)), shares };
      }),
  ],
  [
    "reference",
    "a method that is said to go by rows and goes by tensor",
    () => {
      const byRow = findMethod("model_stock");
      return { ...byRow, reduce: () => byRow.reduce!({ global: {}, models: [] }) };
    },
  ],
  [
    "equal to it",
    "a method whose shares sum to more than 1",
    () => {
      const mutant = deciding("linear", ({ constants, shares }) => {
        return { constants: scale([...constants], 1.1), shares };
      });
      return mutant;
    },
  ],
  [
    "order of the models",
    "a method in which only the first model counts",
    () =>
      deciding("model_stock", ({ constants, shares }) => {
        return { constants: constants.map((c, i) => (i === 0 ? c : 0)), shares };
      }),
  ],
  [
    "shares",
    "a method that shows other shares than it merges by",
    () =>
      deciding("model_stock", ({ constants, shares }) => ({ constants, shares: scale(shares, 2) })),
  ],
  [
    "shares",
    "a method that shows none",
    () => deciding("linear", ({ constants }) => ({ constants, shares: null })),
  ],
  ["card", "a method without a sentence", () => ({ ...findMethod("linear"), summary: "" })],
];

test.each(MUTANTS)("the law of the %s catches %s", async (words, _, make) => {
  const method = make();
  const byRow = words === "reference" && method.params.filter_wise ? { filter_wise: true } : {};
  const parameters = { ...statedAtLeast(method), ...byRow };
  const asked = { method, parameters, hasBase: method.base !== "none" };
  await expect(lawOf(words).check(asked, gpuProvider)).rejects.toMatchObject({
    name: "AssertionError",
  });
});

test.each([
  ["draws that begin anew in every tile", "dare_linear", { density: 0.5 }],
  ["rows that are counted anew in every tile", "model_stock", { filter_wise: true }],
] as const)("the law of the tiles catches %s", async (_, id, stated) => {
  const method = findMethod(id);
  const merge = TileSlot.prototype.merge;
  vi.spyOn(TileSlot.prototype, "merge").mockImplementation(function (
    this: TileSlot,
    tile,
    rule,
    output,
  ) {
    const { part } = tile.layout;
    if (part === "tensor") return merge.call(this, { ...tile, first: 0 }, rule, output);
    // Every row is merged by the constants of the one before it, the tile's first by its own.
    const each = rule.constants.length / (tile.elementCount / tile.layout.rowLength);
    const constants = Float32Array.from(rule.constants);
    constants.copyWithin(each, 0, constants.length - each);
    return merge.call(this, tile, { ...rule, constants }, output);
  });
  const parameters = { ...statedAtLeast(method), ...stated };
  const asked = { method, parameters, hasBase: true };
  await expect(lawOf("tiles").check(asked, gpuProvider)).rejects.toMatchObject({
    name: "AssertionError",
  });
});
