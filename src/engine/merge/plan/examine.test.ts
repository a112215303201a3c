import { expect, test, vi } from "vitest";
import { makeModel } from "../testModels.ts";
import { createExaminer } from "./examine.ts";

const [a, b] = ["a", "b"].map((name) => makeModel(name, {})) as [
  ReturnType<typeof makeModel>,
  ReturnType<typeof makeModel>,
];

test("models are examined once, until one of them is another", async () => {
  const read = vi.fn(async () => []);
  const examine = createExaminer(read);
  await Promise.all([examine([a, b]), examine([a, b])]);
  expect(read).toHaveBeenCalledTimes(1);
  await examine([b, a]);
  await examine([a]);
  await examine([a, { ...b }]);
  expect(read).toHaveBeenCalledTimes(4);
});

test("a failure is tried again", async () => {
  const read = vi.fn(async () => []).mockRejectedValueOnce(new Error("the disk is away"));
  const examine = createExaminer(read);
  await expect(examine([a])).rejects.toThrow("the disk is away");
  expect(await examine([a])).toEqual([]);
});

test("without models there is nothing to say", async () => {
  expect(await createExaminer()([])).toEqual([]);
});
