import { expect, test } from "vitest";
import { columnWidth } from "./command.ts";

function* tensorNames(count: number): Generator<string> {
  for (let i = 0; i < count; i++) yield `layers.${i}.weight`;
}

test("a column holds a million tensors' names", () => {
  expect(columnWidth(tensorNames(1_000_000), "tensor")).toBe("layers.999999.weight".length);
  expect(columnWidth([], "tensor")).toBe("tensor".length);
});
