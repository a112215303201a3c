import { expect, test } from "vitest";
import { makeId } from "./id.ts";

test("two ids differ, and each has 32 hexadecimal digits", () => {
  const [one, other] = [makeId(), makeId()];
  expect(one).not.toBe(other);
  for (const id of [one, other]) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
