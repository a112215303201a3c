import { describe, expect, test } from "vitest";
import { FUSION_DEFAULTS, type FusionSettings } from "../../contract/index.ts";
import { useGpu } from "../../gpu/testGpu.ts";
import type { FusedRecord, UnfusedRecord } from "../dataset/records.ts";
import { makeRecord, type RecordShape } from "../dataset/testRecords.ts";
import { weighRows } from "./choose.ts";
import { fuseDocuments } from "./fuseRows.ts";

const gpu = await useGpu({ defaultLimits: true });

function unfused(shape: RecordShape): UnfusedRecord {
  const { weights, fused, tail, ...rest } = makeRecord(shape);
  return rest;
}

const settingsOf = (changes: Partial<FusionSettings> = {}): FusionSettings => ({
  ...FUSION_DEFAULTS.studio,
  ...changes,
});

/** Row `row` over the whole vocabulary, in float64, straight from the definition. */
function denseRow(record: UnfusedRecord, row: number, settings: FusionSettings, vocabSize: number) {
  const { pivot, sources } = record;
  const members = 1 + sources.length;
  const weights = weighRows(record, settings).subarray(row * members, (row + 1) * members);
  const own = (from: number, to: number) => ({ from, to, ids: pivot.ids, logits: pivot.logits });
  const pivotRow = { ...own(row * pivot.k, (row + 1) * pivot.k), logSum: pivot.logSums[row]! };
  const dense = new Float64Array(vocabSize);
  let tail = 0;
  for (let member = 0; member < members; member++) {
    const source = sources[member - 1];
    const [from, to] = source ? [source.rows.offsets[row]!, source.rows.offsets[row + 1]!] : [0, 0];
    const { ids, values: logits } = source?.rows ?? { ids: pivot.ids, values: pivot.logits };
    const said = to > from ? { from, to, ids, logits, logSum: source!.logSums[row]! } : pivotRow;
    const at = Array.from({ length: said.to - said.from }, (_, i) => said.from + i);
    const bucket = settings.tail === "bucket" && Number.isFinite(said.logSum);
    const largest = Math.max(...at.map((i) => said.logits[i]!));
    const base = bucket ? said.logSum : largest;
    const masses = at.map((i) => Math.exp(said.logits[i]! - base));
    const rest = bucket ? Math.max(0, 1 - masses.reduce((a, b) => a + b, 0)) : 0;
    const warm = [...masses, rest].map((mass) => mass ** (1 / settings.temperature));
    const total = warm.reduce((a, b) => a + b, 0);
    for (const [n, i] of at.entries())
      dense[said.ids[i]!]! += (weights[member]! * warm[n]!) / total;
    tail += (weights[member]! * warm.at(-1)!) / total;
  }
  return { dense, tail };
}

function rowEntries({ fused }: Pick<FusedRecord, "fused">, row: number): [number, number][] {
  const [from, to] = [fused.offsets[row]!, fused.offsets[row + 1]!];
  return Array.from({ length: to - from }, (_, i) => [
    fused.ids[from + i]!,
    fused.values[from + i]!,
  ]);
}

const MODES: Partial<FusionSettings>[] = [
  {},
  { level: "token" },
  { tail: "renormalise" },
  { temperature: 2 },
  { temperature: 0.5, tail: "renormalise" },
  { fusion: "avgce" },
  { fusion: "avgce", averageBy: "losses", temperature: 1.5 },
  { fusion: "avgce", level: "token", metric: "token" },
  { fusion: "avgce", withPivot: false },
  { withPivot: false, metric: "token" },
];

describe.each(MODES)("%o", (changes) => {
  const settings = settingsOf(changes);
  const shape = { vocabSize: 60, k: 10, sources: ["one", "two", "three"], tokens: 30 };

  test("is the mixture by definition, sorted, unique, and sums to 1", async () => {
    const records = [1, 2, 3].map((seed) => unfused({ seed, ...shape }));
    const fused = await fuseDocuments(gpu, records, settings);
    for (const [d, record] of records.entries()) {
      for (let row = 0; row < record.pivot.positions.length; row++) {
        const { dense, tail } = denseRow(record, row, settings, 60);
        const entries = rowEntries(fused[d]!, row);
        // f32: exp of arguments to -20 is good to some 50 units of 6e-8, pow(x, 2) to twice that.
        for (const [id, value] of entries) {
          expect(Math.abs(value - dense[id]!)).toBeLessThanOrEqual(1e-6 + 1e-5 * dense[id]!);
        }
        expect(Math.abs(fused[d]!.tail[row]! - tail)).toBeLessThanOrEqual(5e-6);
        expect(entries).toHaveLength(dense.filter((value) => value > 0).length);
        expect(new Set(entries.map(([id]) => id)).size).toBe(entries.length);
        const sorted = entries.toSorted(([a, p], [b, q]) => q - p || a - b);
        expect(entries).toEqual(sorted);
        const sum = entries.reduce((total, [, value]) => total + value, fused[d]!.tail[row]!);
        expect(Math.abs(sum - 1)).toBeLessThanOrEqual(2e-6); // up to 41 roundings of 6e-8 and less
      }
    }
  });

  test("does not depend on the order of the sources, nor on what is fused beside it", async () => {
    const record = unfused({ seed: 4, ...shape });
    const turned = { ...record, sources: record.sources.toReversed() };
    const [alone] = await fuseDocuments(gpu, [record], settings);
    const [, beside, last] = await fuseDocuments(
      gpu,
      [unfused({ seed: 5, ...shape, tokens: 3 }), record, turned],
      settings,
    );
    expect(beside).toEqual(alone);
    expect(last!.fused).toEqual(alone!.fused);
    expect(last!.tail).toEqual(alone!.tail);
  });
});

describe("the worked numbers", () => {
  /** One row of the pivot's and one of a source's, with metrics. */
  function worked(pivot: [number, number][], source: [number, number][]): UnfusedRecord {
    const record = unfused({ seed: 1, tokens: 2, k: pivot.length, sources: ["one"] });
    const listed = (row: [number, number][]) => ({
      ids: Uint32Array.from(row, ([id]) => id),
      values: Float32Array.from(row, ([, logit]) => logit),
    });
    const { ids, values } = listed(pivot);
    const one = {
      ...record.sources[0]!,
      rows: { offsets: Uint32Array.of(0, source.length), ...listed(source) },
      scored: { tokens: 10, nats: 9 },
    };
    const about = { positions: Uint32Array.of(0), logSums: Float32Array.of(9) };
    return {
      ...record,
      pivot: { ...record.pivot, ...about, ids, logits: values, goldNats: Float32Array.of(1.2) },
      sources: [one],
    };
  }
  const record = worked(
    [
      [1, 2],
      [2, 1],
      [4, 0],
    ],
    [
      [2, 3],
      [3, 1],
    ],
  );
  const exact = { ...FUSION_DEFAULTS["fusechat-v1"], bf16: false };
  const fuse = async (of: UnfusedRecord, settings: FusionSettings) =>
    rowEntries((await fuseDocuments(gpu, [of], settings))[0]!, 0);
  const close = (entries: [number, number][]) =>
    entries.map(([id, value]) => [id, expect.closeTo(value, 5.7)]);

  test("MinCE follows the source, at temperature 1 and 2", async () => {
    expect(await fuse(record, exact)).toEqual(
      close([
        [2, 0.880797],
        [3, 0.119203],
      ]),
    );
    const warm = await fuse(record, { ...exact, temperature: 2 });
    expect(warm).toEqual(
      close([
        [2, 0.731059],
        [3, 0.268941],
      ]),
    );
  });

  test("AvgCE mixes both", async () => {
    const mixed = await fuse(record, { ...exact, fusion: "avgce" });
    const expected = [
      [2, 0.579504],
      [1, 0.315112],
      [3, 0.062739],
      [4, 0.042646],
    ];
    expect(mixed).toEqual(close(expected as [number, number][]));
  });

  test("logits in bf16", async () => {
    const three = worked(
      [
        [0, 20.31],
        [1, 19.87],
        [2, 18.02],
      ],
      [],
    );
    const alone = { ...three, sources: [] };
    const full = await fuse(alone, exact);
    expect(full).toEqual(
      close([
        [0, 0.572966],
        [1, 0.369011],
        [2, 0.058022],
      ]),
    );
    const rounded = await fuse(alone, { ...exact, bf16: true });
    const expected = [0.557821, 0.383385, 0.058794];
    for (const [i, [, value]] of rounded.entries()) {
      // The probabilities are rounded too: half a step is 2^-9 of the value at most.
      expect(Math.abs(value - expected[i]!)).toBeLessThan(2 ** -8 * expected[i]!);
    }
  });
});

test("the pivot alone gives the pivot, bit for bit whatever the choice", async () => {
  const record = unfused({ seed: 6, sources: [], k: 10, vocabSize: 60 });
  const twice = await Promise.all(
    [settingsOf(), settingsOf({ fusion: "avgce", level: "token" })].map(async (settings) => {
      return (await fuseDocuments(gpu, [record], settings))[0]!;
    }),
  );
  expect(twice[0]!.fused).toEqual(twice[1]!.fused);
  expect(twice[0]!.weights.every((weight) => weight === 1)).toBe(true);
  for (let row = 0; row < record.pivot.positions.length; row++) {
    for (const [i, [id, value]] of rowEntries(twice[0]!, row).entries()) {
      const at = row * record.pivot.k + i;
      expect(id).toBe(record.pivot.ids[at]);
      const truth = Math.exp(record.pivot.logits[at]! - record.pivot.logSums[row]!);
      expect(Math.abs(value - truth)).toBeLessThanOrEqual(1e-6 + 1e-5 * truth);
    }
  }
});

test("of equal sources and of equal entries the smaller id comes first", async () => {
  const record = unfused({ seed: 7, sources: [], k: 3, vocabSize: 60, tokens: 4 });
  const same = { ...record.pivot, logits: record.pivot.logits.map(() => 1) };
  const [fused] = await fuseDocuments(
    gpu,
    [{ ...record, pivot: same }],
    settingsOf({ tail: "renormalise" }),
  );
  for (let row = 0; row < same.positions.length; row++) {
    const ids = [...same.ids.subarray(row * 3, row * 3 + 3)].sort((a, b) => a - b);
    expect(rowEntries(fused!, row).map(([id]) => id)).toEqual(ids);
  }
});

test("sixty-four entries of twenty sources are mixed", async () => {
  const sources = Array.from({ length: 20 }, (_, i) => `source ${i}`);
  const settings = settingsOf({ fusion: "avgce" });
  const record = unfused({ seed: 8, k: 64, vocabSize: 3000, tokens: 4, sources });
  const [fused] = await fuseDocuments(gpu, [record], settings);
  const { dense } = denseRow(record, 0, settings, 3000);
  const entries = rowEntries(fused!, 0);
  expect(entries.length).toBe(dense.filter((value) => value > 0).length);
  for (const [id, value] of entries) expect(Math.abs(value - dense[id]!)).toBeLessThan(1e-6);
});
