import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FusionSettings } from "../engine/contract/index.ts";
import { fuseDocuments } from "../engine/fuse/fuseRows.ts";
import { PROFILES } from "../engine/fuse/profiles.ts";
import type { UnfusedRecord } from "../engine/fuse/records.ts";
import { acquireGpu, type Gpu } from "../engine/gpu/device.ts";
import { type CollatorCase, recordOfFeature, type TargetRow } from "./collatorGolden.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

const cases: readonly CollatorCase[] = hasTestData
  ? JSON.parse(
      readFileSync(testDataPath("goldens", "alignment", "fusion", "collator_loss.json"), "utf8"),
    ).cases
  : [];

let gpu: Gpu;
beforeAll(async () => {
  gpu = await acquireGpu(navigator.gpu);
});
afterAll(() => gpu?.destroy());

/** Every row of the fused records is the golden's, entry by entry. */
async function expectTargets(
  records: readonly UnfusedRecord[],
  settings: FusionSettings,
  golden: readonly (readonly TargetRow[])[],
): Promise<void> {
  const fused = await fuseDocuments(gpu, records, settings);
  let [entries, steps] = [0, 0];
  for (const [b, { fused: rows }] of fused.entries()) {
    for (let row = 0; row + 1 < rows.offsets.length; row++) {
      const own = new Map<number, number>();
      for (let at = rows.offsets[row]!; at < rows.offsets[row + 1]!; at++) {
        if (rows.values[at]! > 0) own.set(rows.ids[at]!, rows.values[at]!);
      }
      const expected = golden[b]![row]!.filter(([, value]) => value > 0);
      const about = `sequence ${b}, row ${row}`;
      expect(
        [...own.keys()].sort((x, y) => x - y),
        about,
      ).toEqual(expected.map(([id]) => id));
      for (const [id, value] of expected) {
        // As the goldens' own description has it; a step of bf16 is at most 2^-7 of its value.
        const bound = settings.bf16 ? 2 ** -7 * value : 2e-6 + 1e-5 * value;
        const digits = 1e-5 * value; // theirs have six
        if (settings.bf16 && Math.abs(own.get(id)! - value) > digits) steps += 1;
        expect(Math.abs(own.get(id)! - value), `${about}, id ${id}`).toBeLessThanOrEqual(bound);
        entries += 1;
      }
    }
  }
  expect(entries).toBeGreaterThan(30);
  expect(steps).toBeLessThanOrEqual(0.01 * entries);
}

test.skipIf(hasTestData)("the references' fusions", ({ skip }) => skip("no test data"));

describe.each(cases)("$profile", ({ profile, features, collator, loss }) => {
  const records = features.map(recordOfFeature);
  const settingsOf = (changes: Partial<FusionSettings>): FusionSettings => ({
    ...PROFILES[profile],
    ...changes,
  });
  const sets = Object.entries(collator).flatMap(([set, targets]) =>
    Object.entries(targets).map(([name, golden]) => ({ set, name, golden })),
  );

  test.each(sets)("the collator's $name in $set", async ({ set, name, golden }) => {
    const source = name === "base_target_dist" ? null : Number(/\d$/.exec(name)?.[0] ?? 0);
    const alone = records.slice(0, golden.length).map((record) => ({
      ...record,
      sources: source === null ? [] : [record.sources[source]!],
    }));
    const settings = settingsOf({
      ...{ bf16: set.startsWith("bf16"), temperature: set.endsWith("T2") ? 2 : 1 },
      withPivot: source === null,
    });
    await expectTargets(alone, settings, golden);
  });

  const objectives = loss.filter(({ target }) => target);
  test.each(objectives)(
    "the target of $mode in $precision, without the pivot: $without_pivot",
    async ({ precision, mode, without_pivot, target }) => {
      const changes = { bf16: precision === "bf16", fusion: mode, withPivot: !without_pivot };
      await expectTargets(records, settingsOf(changes), target!);
    },
  );
});
