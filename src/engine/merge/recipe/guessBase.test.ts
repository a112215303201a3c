import { describe, expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { type ByteSource, bytesInMemory } from "../../core/bytes.ts";
import { makeModel, type Tensors } from "../testModels.ts";
import {
  areCompatible,
  chooseBase,
  compareSamples,
  findStrangers,
  guessBase,
} from "./guessBase.ts";

const MATRIX = "model.layers.0.mlp.up_proj.weight";
const SHAPE: Tensors = { [MATRIX]: ["F32", [8, 8]], "model.norm.weight": ["F32", [8]] };

/** A model whose matrix holds these values and whose norm is all ones. */
function holding(name: string, values: (i: number) => number): Checkpoint {
  const model = makeModel(name, SHAPE);
  const fill = (count: number, value: (i: number) => number) =>
    bytesInMemory(new Uint8Array(Float32Array.from({ length: count }, (_, i) => value(i)).buffer));
  const tensors = [...model.tensors].map(([tensor, card]) => {
    const source = fill(card.elementCount, tensor === MATRIX ? values : () => 1);
    return [tensor, { ...card, source }] as const;
  });
  return { ...model, tensors: new Map(tensors) };
}
const wave = (i: number) => Math.sin(i + 1);

describe("the base is guessed", () => {
  test("as the model in the middle, wherever it stands", async () => {
    const first = holding("a", (i) => wave(i) + (i % 2) * 0.1);
    const second = holding("b", (i) => wave(i) - ((i + 1) % 2) * 0.1);
    const base = holding("base", wave);
    expect(await guessBase([first, base, second])).toBe(1);
    expect(await guessBase([base, first, second])).toBe(0);
  });

  test("as the first of equals", async () => {
    expect(await guessBase([holding("a", wave), holding("b", wave)])).toBe(0);
  });

  test.each([
    ["one model", 1, []],
    ["models without a matrix in common", 2, []],
    ["models of NaN", 2, [{ pair: [0, 1] as const, distance: Number.NaN, cosine: null }]],
  ])("never of %s", (_, count, resemblances) => {
    expect(chooseBase(count, resemblances)).toBeNull();
  });
});

describe("the sample", () => {
  test("of a small model is all of its matrices", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `model.layers.${i}.mlp.up_proj.weight`);
    const plain = makeModel("m", Object.fromEntries(names.map((name) => [name, ["F32", [4, 4]]])));
    const filled = (value: number) =>
      bytesInMemory(new Uint8Array(new Float32Array(16).fill(value).buffer));
    const [zeros, ones] = [filled(0), filled(1)];
    const onesIn = (changed: string | null) => ({
      ...plain,
      tensors: new Map(
        [...plain.tensors].map(([name, tensor]) => [
          name,
          { ...tensor, source: name === changed ? ones : zeros },
        ]),
      ),
    });
    for (const changed of names) {
      const [found] = await compareSamples([onesIn(null), onesIn(changed)]);
      expect(found?.distance, changed).toBe(4);
    }
  });

  test("tells relatives from strangers, and norms do not blur it", async () => {
    const models = [
      holding("a", wave),
      holding("b", (i) => 1.1 * wave(i)),
      holding("c", (i) => wave(i) * (-1) ** Math.floor(i / 7) * (i % 2 ? 1 : -1)),
    ];
    const found = await compareSamples(models);
    expect(found.map(({ pair }) => pair)).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ]);
    expect(found[0]?.cosine).toBeGreaterThan(0.999);
    expect(Math.abs(found[1]?.cosine ?? 1)).toBeLessThan(0.2);
    expect(findStrangers(models, found).map(({ model, severity }) => [model, severity])).toEqual([
      ["c", "warning"],
      ["c", "warning"],
    ]);
  });

  test("of all zeros has no cosine and makes no strangers", async () => {
    const models = [holding("a", wave), holding("zero", () => 0)];
    const found = await compareSamples(models);
    expect(found[0]?.cosine).toBeNull();
    expect(findStrangers(models, found)).toEqual([]);
  });

  test("reads at most 8 MiB of a large model, from its whole depth", async () => {
    const reads: (readonly [start: number, length: number])[] = [];
    const source: ByteSource = {
      byteLength: 2 ** 32,
      read: async (start, length) => {
        reads.push([start, length]);
        return new Uint8Array(length);
      },
    };
    const large = makeModel("large", { [MATRIX]: ["F64", [2 ** 14, 2 ** 15]] });
    const tensors = [...large.tensors].map(([name, card]) => [name, { ...card, source }] as const);
    await compareSamples([{ ...large, tensors: new Map(tensors) }]);
    const bytes = reads.reduce((sum, [, length]) => sum + length, 0);
    expect(bytes).toBeLessThanOrEqual(8 * 2 ** 20);
    expect(bytes).toBeGreaterThan(4 * 2 ** 20);
    expect(Math.max(...reads.map(([start]) => start))).toBeGreaterThan(0.9 * 2 ** 32);
  });
});

describe("models are compatible", () => {
  const rows = (count: number): Tensors => ({
    ...SHAPE,
    "model.embed_tokens.weight": ["F32", [count, 8]],
  });
  const model = (tensors: Tensors, config = {}) => makeModel("m", tensors, config);

  test.each([
    ["of one shape", model(SHAPE), model(SHAPE), true],
    ["with other rows in the embedding", model(rows(9)), model(rows(10)), true],
    ["but not of another depth", model(SHAPE), model(SHAPE, { layers: 3 }), false],
    ["but not of another architecture", model(SHAPE), model(SHAPE, { architecture: "X" }), false],
    ["but not with another matrix", model(SHAPE), model({ [MATRIX]: ["F32", [8, 9]] }), false],
    ["but not without a common tensor", model(SHAPE), model({ other: ["F32", [8]] }), false],
  ])("%s", (_, one, other, expected) => {
    expect(areCompatible([one, other])).toBe(expected);
  });

  test("never if there are none", () => {
    expect(areCompatible([])).toBe(false);
  });
});
