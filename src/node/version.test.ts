import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { STUDIO } from "../engine/merge/run/version.ts";

test("results are signed with the version of the package", () => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  expect(STUDIO.version).toBe(JSON.parse(text).version);
});
