import { describe, expect, test } from "vitest";
import { GpuSource } from "../../../engine/gpu/device.ts";
import { hasTestData, testDataPath } from "../../../node/testdata.ts";
import { listAlignmentCases } from "./cases.ts";

describe.skipIf(!hasTestData)("goldens", async () => {
  const folder = hasTestData ? testDataPath("goldens", "alignment") : "";
  // What needs a GPU is run by verify.gpu.test.ts; most maps by mapGoldens.test.ts, in full.
  const elsewhere = /collator|\/(exact|mined|statistics)$/;
  const cases = hasTestData
    ? (await listAlignmentCases(folder)).filter(({ name }) => !elsewhere.test(name))
    : [];

  test("there are pairs of real tokenizers and made ones", () => {
    expect(cases.length).toBeGreaterThanOrEqual(18 * 3 + 18 * 3);
  });

  test.each(cases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const { passed, maxAbsError, bound } = await one.run({ source: new GpuSource(undefined) });
    expect(passed, `${maxAbsError} > ${bound}`).toBe(true);
  });
});
