import { expect, test } from "vitest";
import { mapOrdered } from "./ordered.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("results come in the items' order even when later ones finish first", async () => {
  const seen: number[] = [];
  for await (const value of mapOrdered([30, 1, 20, 2], 3, async (ms) => {
    await sleep(ms);
    return ms;
  })) {
    seen.push(value);
  }
  expect(seen).toEqual([30, 1, 20, 2]);
});

test("never more than `limit` items are under way, and no slot is used twice at once", async () => {
  let most = 0;
  const busy = new Set<number>();
  const items = Array.from({ length: 20 }, (_, i) => i);
  const results = mapOrdered(items, 3, async (item, slot) => {
    expect(busy.has(slot)).toBe(false);
    busy.add(slot);
    most = Math.max(most, busy.size);
    await sleep(item % 3);
    busy.delete(slot);
    return item;
  });
  let count = 0;
  for await (const _ of results) count++;
  expect(count).toBe(20);
  expect(most).toBe(3);
});

test("a failure ends the run after what is under way has settled", async () => {
  let settled = 0;
  const run = async () => {
    for await (const _ of mapOrdered([1, 2, 3], 3, async (item) => {
      await sleep(item * 5);
      settled++;
      if (item === 1) throw new Error("first");
    })) {
      // Nothing arrives before the failure.
    }
  };
  await expect(run()).rejects.toThrow("first");
  expect(settled).toBe(3);
});
