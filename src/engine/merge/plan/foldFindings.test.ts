import { expect, test } from "vitest";
import type { Finding } from "../../contract/index.ts";
import { foldFindings } from "./foldFindings.ts";

const misshapen = (tensor: string, rows: number, model = "b"): Finding => ({
  severity: "error",
  code: "mismatch",
  message: `"${tensor}" has the shape ${rows} × 4 in "${model}" and 2 × 4 in "a": these cannot be merged.`,
  model,
  tensor,
});
const names = (count: number) => Array.from({ length: count }, (_, i) => `layers.${i}.up.weight`);

test("a thousand tensors of one kind are one finding, with all their names", () => {
  const all = names(1000);
  const [only, ...others] = foldFindings(all.map((name, i) => misshapen(name, i + 3)));
  expect(others).toEqual([]);
  expect(only).toMatchObject({ severity: "error", tensor: all[0], items: all });
  expect(only?.message).toBe(
    `"layers.0.up.weight" has the shape 3 × 4 in "b" and 2 × 4 in "a": these cannot be merged. The same holds for 999 tensors more.`,
  );
});

test("other models, other words and other severities stay apart, in their order", () => {
  const findings: readonly Finding[] = [
    misshapen("x", 3),
    misshapen("y", 3, "c"),
    { ...misshapen("z", 3), severity: "warning" },
    { severity: "note", code: "info", message: "The models tie the head." },
    { severity: "note", code: "info", message: "The models tie the head." },
  ];
  expect(foldFindings(findings)).toEqual(findings);
});

test("what names its tensors itself is left as it is", () => {
  const grouped = { ...misshapen("x", 3), items: ["x", "y"] };
  expect(foldFindings([grouped, grouped])).toEqual([grouped, grouped]);
});
