import { expect, test } from "vitest";
import { FUSION_DEFAULTS } from "../../contract/index.ts";
import type { UnfusedRecord } from "../dataset/records.ts";
import { makeRecord } from "../dataset/testRecords.ts";
import { weighRows } from "./choose.ts";
import { cutRows, packRows } from "./packRows.ts";

const settings = { ...FUSION_DEFAULTS.studio, fusion: "avgce", level: "token" } as const;
const pack = (records: readonly UnfusedRecord[]) =>
  packRows(
    records,
    records.map((record) => weighRows(record, settings)),
    settings,
  );

test("rows that are cut out are packed as if they were alone", () => {
  const made = (seed: number): UnfusedRecord => makeRecord({ seed, tokens: 20 });
  const [a, b, c] = [made(1), made(2), made(3)] as const;
  const all = pack([a, b, c]);
  const ends = [a, b, c].map(({ pivot }) => pivot.positions.length);
  const [first, second] = [ends[0]!, ends[0]! + ends[1]!];
  for (const [from, to, record] of [
    [0, first, a],
    [first, second, b],
    [second, all.rows, c],
  ] as const) {
    const { rows, members, segments, entries } = cutRows(all, from, to);
    const alone = pack([record]);
    expect({ rows, members, segments, entries }).toEqual({
      rows: alone.rows,
      members: alone.members,
      segments: alone.segments,
      entries: alone.entries,
    });
  }
});

test("an empty row of a source is the pivot's own, and who weighs nothing is left out", () => {
  const record = makeRecord({ seed: 4, tokens: 10, sources: ["one"] });
  const { pivot, sources } = record;
  const weights = new Float32Array(2 * pivot.positions.length).map((_, i) => i % 2);
  const { members, segments, entries } = packRows([record], [weights], settings);
  expect(members).toBe(1);
  let at = 0;
  for (let row = 0; row < pivot.positions.length; row++) {
    const { offsets, ids } = sources[0]!.rows;
    const own = ids.subarray(offsets[row], offsets[row + 1]);
    const expected = own.length > 0 ? own : pivot.ids.subarray(row * pivot.k, (row + 1) * pivot.k);
    expect(segments[4 * row]).toBe(at);
    expect(segments[4 * row + 1]! & 0xffff).toBe(expected.length);
    expect([...expected]).toEqual(Array.from(expected, (_, i) => entries[2 * (at + i)] as number));
    at += expected.length;
  }
  expect(entries).toHaveLength(2 * at);
});
