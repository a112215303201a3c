import { expect, test } from "vitest";
import { EngineError } from "../contract/index.ts";
import { joinRefusals } from "./refusals.ts";

const refusal = (name: string) => new EngineError("truncated", `${name} ends early.`, { name });

test("one refusal stays what it is", () => {
  const only = refusal("a");
  expect(joinRefusals([only], "None.")).toBe(only);
});

test("several are told line by line, and a great many are counted", () => {
  const { message, code, details } = joinRefusals(["a", "b"].map(refusal), "None of the 2.");
  expect(message).toBe("None of the 2.\n– a ends early.\n– b ends early.");
  expect([code, details]).toEqual(["truncated", { name: "a", refused: 2 }]);
  const many = joinRefusals(
    Array.from({ length: 40 }, (_, i) => refusal(`${i}`)),
    "None of the 40.",
  );
  expect(many.message.split("\n")).toHaveLength(12);
  expect(many.message).toContain("and 30 more");
});
