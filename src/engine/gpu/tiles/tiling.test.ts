import { expect, test } from "vitest";
import {
  BLOCK_ELEMENTS,
  chooseTileElements,
  cutTiles,
  slotBytesPerElement,
  TILE_SLOTS,
  type TileNeeds,
  wholeTensor,
} from "./tiling.ts";

const needs: TileNeeds = {
  readBytesPerElement: 8,
  writeBytesPerElement: 2,
  laneBytesPerElement: 0,
  sumBytesPerElement: (4 * 16) / BLOCK_ELEMENTS,
  constantBytesPerElement: 0,
  scratchBytesPerElement: 0,
  segments: 4,
  leastElements: 1,
  longest: 1e9,
  budgetBytes: 512 * 2 ** 20,
  bindingBytes: 128 * 2 ** 20,
};

test("tiles cover a tensor once and begin on block edges", () => {
  const tiles = [...cutTiles(wholeTensor(10_000), 2 * BLOCK_ELEMENTS)];
  expect(tiles.map(({ first }) => first % BLOCK_ELEMENTS)).toEqual([0, 0, 0]);
  expect(tiles.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
});

test("cutting from an element in the middle begins with the block that holds it", () => {
  expect([...cutTiles(wholeTensor(10_000), 4 * BLOCK_ELEMENTS, 5000)][0]).toEqual({
    first: 4096,
    count: 5904,
  });
});

test.each([16, 64, 512, 4096].map((mib) => mib * 2 ** 20))(
  "the slots stay within a budget of %i bytes and one binding",
  (budgetBytes) => {
    const elements = chooseTileElements({ ...needs, budgetBytes });
    expect(elements % BLOCK_ELEMENTS).toBe(0);
    expect(TILE_SLOTS * elements * slotBytesPerElement(needs)).toBeLessThanOrEqual(budgetBytes);
    expect(elements * needs.readBytesPerElement).toBeLessThanOrEqual(needs.bindingBytes);
  },
);

test("a tile is no longer than the longest tensor asks for", () => {
  expect(chooseTileElements({ ...needs, longest: 5000 })).toBe(3 * BLOCK_ELEMENTS);
});
