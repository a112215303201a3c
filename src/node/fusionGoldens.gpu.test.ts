import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SparseRows } from "../engine/align/types.ts";
import type { FusionSettings } from "../engine/contract/index.ts";
import { fuseDocuments } from "../engine/fuse/fuseRows.ts";
import { PROFILES } from "../engine/fuse/profiles.ts";
import type { AlignedSource, UnfusedRecord } from "../engine/fuse/records.ts";
import { acquireGpu, type Gpu } from "../engine/gpu/device.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

type Row = readonly (readonly [id: number, value: number])[];
type Lists = readonly (readonly number[])[];

interface Feature {
  readonly input_ids: readonly number[];
  readonly per_step_logits: Lists;
  readonly per_step_indices: Lists;
  readonly metric_ce: number;
  readonly [aligned: string]: number | readonly number[] | Lists;
}

interface Case {
  readonly profile: "fusellm" | "fusechat-v1" | "fusechat-v2";
  readonly features: readonly Feature[];
  readonly collator: Record<string, Record<string, readonly (readonly Row[])[]>>;
  readonly loss: readonly {
    readonly precision: "bf16" | "f32";
    readonly mode: "mince" | "avgce";
    readonly type: string;
    readonly without_pivot?: boolean;
    readonly target?: readonly (readonly Row[])[];
  }[];
}

const cases: readonly Case[] = hasTestData
  ? JSON.parse(
      readFileSync(testDataPath("goldens", "alignment", "fusion", "collator_loss.json"), "utf8"),
    ).cases
  : [];

let gpu: Gpu;
beforeAll(async () => {
  gpu = await acquireGpu(navigator.gpu);
});
afterAll(() => gpu?.destroy());

function sparse(ids: Lists, values: Lists, rows: number): SparseRows {
  const offsets = new Uint32Array(rows + 1);
  for (let row = 0; row < rows; row++) offsets[row + 1] = offsets[row]! + ids[row]!.length;
  return {
    offsets,
    ids: Uint32Array.from(ids.slice(0, rows).flat()),
    values: Float32Array.from(values.slice(0, rows).flat()),
  };
}

/** A feature as its collator was given it: the last row predicts nothing. */
function recordOf(feature: Feature): UnfusedRecord {
  const ids = Uint32Array.from(feature.input_ids.slice(0, feature.per_step_logits.length));
  const ends = ids.map((_, i) => i + 1);
  const rows = ids.length - 1;
  const base = sparse(feature.per_step_indices, feature.per_step_logits, rows);
  const unknown = () => new Float32Array(rows).fill(Number.NaN);
  const sources = [0, 1].flatMap((i): AlignedSource[] => {
    const fused = i === 0 ? feature.fused_per_step_logits : undefined;
    const logits = (feature[`per_step_aligned_logits_${i}`] ?? fused) as Lists | undefined;
    if (!logits) return [];
    const indices = feature[`per_step_aligned_indices_${i}`] ?? feature.fused_per_step_indices;
    const metric = feature[`metric_ce_aligned_${i}`] ?? feature.fused_metric_ce;
    return [
      {
        ...{ model: `source ${i}`, tokens: { ids: new Uint32Array(), ends: new Uint32Array() } },
        groups: { offsets: new Uint32Array(ids.length + 1), positions: new Uint32Array() },
        ...{ reasons: Array.from(ids, () => null), from: new Int32Array(rows).fill(-1) },
        ...{
          rows: sparse(indices as Lists, logits, rows),
          logSums: unknown(),
          goldNats: unknown(),
        },
        scored: { tokens: 1, nats: metric as number },
      },
    ];
  });
  return {
    ...{ number: 0, sources, supervisedBytes: rows },
    document: { dataset: "", at: 1, part: 0, domain: null, pieces: [] },
    pivot: {
      ...{ tokens: { ids, ends }, positions: Uint32Array.from({ length: rows }, (_, i) => i) },
      ...{ k: 10, ids: base.ids, logits: base.values, logSums: unknown() },
      goldNats: new Float32Array(rows).fill(feature.metric_ce),
    },
  };
}

/** Every row of the fused records is the golden's, entry by entry. */
async function expectTargets(
  records: readonly UnfusedRecord[],
  settings: FusionSettings,
  golden: readonly (readonly Row[])[],
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

describe.skipIf(!hasTestData).each(cases)("$profile", ({ profile, features, collator, loss }) => {
  const records = features.map(recordOf);
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
