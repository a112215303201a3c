import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { methods } from "../../engine/merge/registry.ts";
import { hasTestData, testDataPath } from "../../node/testdata.ts";
import { ConfigCasesSchema, mayRefuse, runConfigCase } from "./configCases.ts";
import { REFUSED_SINCE_0_1_5 } from "./since015.ts";

const { models, cases } = hasTestData
  ? v.parse(
      ConfigCasesSchema,
      JSON.parse(readFileSync(testDataPath("goldens", "config_cases.json"), "utf8")),
    )
  : { models: {}, cases: [] };
const built = cases.filter(({ yaml }) =>
  methods.has(/(?:^|\n)merge_method: (\S+)/.exec(yaml)?.[1] ?? ""),
);

describe.skipIf(!hasTestData)("mergekit's resolved plans", () => {
  test("are compared in good number", () => {
    expect(built.length).toBeGreaterThanOrEqual(30);
  });

  test.each(built.map((one) => [one.id, one] as const))("%s", (id, one) => {
    if (one.error != null || REFUSED_SINCE_0_1_5.includes(id) || mayRefuse(one, models)) {
      expect(() => runConfigCase(one, models)).toThrow();
    } else {
      expect(runConfigCase(one, models)).toMatchObject({ passed: true, maxAbsError: 0 });
    }
  });
});

test("a plan that differs is told", () => {
  const yaml = "merge_method: linear\nmodels: [{model: a}]\nparameters: {weight: 1}\n";
  const names = ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"];
  const rows = names.map(
    (name) => [name, null, [["a", 0]], 0, 1] as [string, null, [string, 0][], 0, 1],
  );
  const one = { id: "x", yaml, rows, param_sets: [{}, { a: { weight: 1 } }] };
  expect(runConfigCase(one, { a: 0 }).passed).toBe(true);
  const other = { ...one, param_sets: [{}, { a: { weight: 0.75 } }] };
  expect(runConfigCase(other, { a: 0 })).toMatchObject({ passed: false, maxAbsError: 0.25 });
  expect(() => runConfigCase({ ...one, rows: rows.slice(1) }, { a: 0 })).toThrow("the tensors");
});
