import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GpuProvider } from "../../../engine/gpu/device.ts";
import { hasTestData, testDataPath } from "../../../node/testdata.ts";
import { listAlignmentCases } from "./cases.ts";
import { fuseLlmCases } from "./fusellm.ts";

describe.skipIf(!hasTestData)("goldens", async () => {
  const folder = hasTestData ? testDataPath("goldens", "alignment") : "";
  // What needs a GPU is run by verify.gpu.test.ts; maps of real vocabularies by mapGoldens.test.ts, in full.
  const elsewhere = /collator|\/(exact|mined|statistics)$/;
  const cases = hasTestData
    ? (await listAlignmentCases(folder)).filter(({ name }) => !elsewhere.test(name))
    : [];
  const ofModels = hasTestData ? await fuseLlmCases(testDataPath("zoo", "fusellm")) : [];

  test("there are pairs of real tokenizers and made ones", () => {
    expect(cases.length).toBeGreaterThanOrEqual(18 * 3 + 18 * 3);
    expect(ofModels.length).toBeGreaterThanOrEqual(6);
  });

  test("a set that has a part of the files is run in part", async () => {
    const part = await mkdtemp(join(tmpdir(), "fusestudio-goldens-"));
    for (const file of ["manifest.json", "token_strings.json", "align", "maps"]) {
      await symlink(join(folder, file), join(part, file));
    }
    const names = (await listAlignmentCases(part)).map(({ name }) => name);
    await rm(part, { recursive: true });
    expect(names.length).toBeGreaterThan(18 * 3);
    expect(names.filter((name) => !/^(align|maps)\//.test(name))).toEqual([]);
  });

  test.each([...cases, ...ofModels].map((one) => [one.name, one] as const))(
    "%s",
    async (_, one) => {
      const { passed, maxAbsError, bound } = await one.run({
        gpuProvider: new GpuProvider(undefined),
      });
      expect(passed, `${maxAbsError} > ${bound}`).toBe(true);
    },
  );
});
