import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Recipe } from "../contract/index.ts";
import { GpuProvider } from "../gpu/device.ts";
import { TileSlot } from "../gpu/tiles/tileSlot.ts";
import type { Cut, Decision, Facts, MergeMethod } from "./method.ts";
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

/** Cut that keeps nothing. */
const NONE: Cut = { bits: 2 ** 31 - 1, before: 0, kept: 0 };

const scale = (values: readonly number[] | null, by: number) => values!.map((v) => v * by);

/** For each law methods that break it, each of another kind. */
const MUTANTS: readonly (readonly [
  law: string,
  mutant: string,
  method: () => MergeMethod,
  parameters?: Recipe["parameters"],
])[] = [
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
    { filter_wise: true },
  ],
  [
    "reference",
    "Breadcrumbs that keeps its outliers",
    () => {
      const method = findMethod("breadcrumbs");
      const decide: MergeMethod["decide"] = (unit) =>
        method.decide(
          unit.map((one) => ({ ...one, cuts: one.cuts.map(([down]) => [down!, NONE]) })),
        );
      return { ...method, decide };
    },
    { density: 0.3, gamma: 0.05 },
  ],
  [
    "reference",
    "DELLA that drops large changes as often as small ones",
    () =>
      deciding("della_linear", ({ constants, shares }) => {
        const changed = [...constants];
        for (let at = 9; at < changed.length; at += 12) changed.splice(at, 2, 0.5, 0);
        return { constants: changed, shares };
      }),
    { density: 0.5 },
  ],
  [
    "reference",
    "Arcee Fusion with a threshold that is 10 % too high",
    () =>
      deciding("arcee_fusion", ({ constants, shares }) => {
        return { constants: scale([...constants], 1.1), shares };
      }),
  ],
  [
    "reference",
    "NearSwap that goes 1 % too far",
    () =>
      deciding("nearswap", ({ constants, shares }) => {
        return { constants: scale([...constants], 1.01), shares };
      }),
  ],
  [
    "reference",
    "RAM+ that counts what models changed together as their own",
    () => {
      const method = findMethod("ramplus_tl");
      const decide: MergeMethod["decide"] = (unit) =>
        method.decide(
          unit.map((one) => {
            const facts = one.facts.map((row): Facts => [row[0] + row[1], 0, 0, 0]);
            return { ...one, facts };
          }),
        );
      return { ...method, decide };
    },
    { epsilon: 0.005 },
  ],
  [
    "reference",
    "Passthrough that does not scale",
    () => deciding("passthrough", ({ shares }) => ({ constants: [1], shares })),
    { scale: 0.5 },
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

const CASES = MUTANTS.map(([law, mutant, make, stated = {}]) => ({ law, mutant, make, stated }));

test.each(CASES)("the law of the $law catches $mutant", async ({ law, make, stated }) => {
  const method = make();
  const parameters = { ...statedAtLeast(method), ...stated };
  const asked = { method, parameters, hasBase: method.base !== "none" };
  await expect(lawOf(law).check(asked, gpuProvider)).rejects.toMatchObject({
    name: "AssertionError",
  });
});

test.each([
  ["draws that begin anew in every tile", "dare_linear", { density: 0.5 }],
  ["rows that are counted anew in every tile", "model_stock", { filter_wise: true }],
] as const)("the law of the tiles catches %s", async (_, id, stated) => {
  const method = findMethod(id);
  const { hold, merge } = TileSlot.prototype;
  vi.spyOn(TileSlot.prototype, "hold").mockImplementation(function (this: TileSlot, key, read) {
    return hold.call(this, key, async () => {
      const tile = await read();
      return tile.layout.part === "tensor" ? { ...tile, first: 0 } : tile;
    });
  });
  vi.spyOn(TileSlot.prototype, "merge").mockImplementation(function (this: TileSlot, rule, output) {
    const { layout, elementCount } = this.tile;
    if (layout.part === "tensor") return merge.call(this, rule, output);
    // Every row is merged by the constants of the one before it, the tile's first by its own.
    const each = rule.constants.length / (elementCount / layout.rowLength);
    const constants = Float32Array.from(rule.constants);
    constants.copyWithin(each, 0, constants.length - each);
    return merge.call(this, { ...rule, constants }, output);
  });
  const parameters = { ...statedAtLeast(method), ...stated };
  const asked = { method, parameters, hasBase: true };
  await expect(lawOf("tiles").check(asked, gpuProvider)).rejects.toMatchObject({
    name: "AssertionError",
  });
});
