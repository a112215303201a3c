import fc from "fast-check";
import { createStore } from "idb-keyval";
import { expect, test } from "vitest";
import "fake-indexeddb/auto";
import { createPool } from "../../../core/threadPool.ts";
import { editDistance } from "../editDistance.ts";
import type { Groups } from "../types.ts";
import { AlignmentCounts } from "./alignmentCounts.ts";
import { ContextCounts } from "./contextCounts.ts";
import { coOccurrenceTargets } from "./coOccurrence.ts";
import { exactTargets } from "./exact.ts";
import { mapKey, mapsInDatabase } from "./mapCache.ts";
import { minedTargets, nearestTask } from "./mined.ts";
import { countsTargets, statisticsTargets } from "./statistics.ts";
import { testVocabulary } from "./testVocabulary.ts";

const pool = createPool({ nearest: nearestTask });

const PIVOT = testVocabulary(
  "<unk> <s> </s> ▁I ▁get ▁up ▁early . ▁un believ able ▁go ing ▁late ▁very".split(" "),
);
const SOURCE = testVocabulary(
  "<unk> <s> </s> ĠI Ġge t Ġup Ġear ly . Ġunbelievable Ġget Ġgoing Ġlate Ġearlier Ġ".split(" "),
  { marker: "Ġ" },
);
const ids = (vocabulary: typeof PIVOT, text: string) =>
  text.split(" ").map((piece) => vocabulary.idOf(piece) as number);

function groupsOf(...groups: readonly (readonly number[])[]): Groups {
  const ends = groups.map((_, i) => groups.slice(0, i + 1).flat().length);
  return { offsets: Uint32Array.of(0, ...ends), positions: Uint32Array.from(groups.flat()) };
}

/** The sentences of the worked examples A and B. */
function countSentence(groups: Groups, pivot: string, source: string): AlignmentCounts {
  const counts = new AlignmentCounts();
  counts.add(ids(PIVOT, pivot), ids(SOURCE, source), groups);
  return counts;
}
const SENTENCE = ["<s> ▁I ▁get ▁up ▁early .", "<s> ĠI Ġge t Ġup Ġear ly ."] as const;

/** Targets by name, of those that are not `rest`. */
function named(targets: Int32Array, rest: number): Readonly<Record<string, string>> {
  const entries = [...targets.entries()].filter(([, target]) => target !== rest);
  return Object.fromEntries(
    entries.map(([id, target]) => [SOURCE.piece(id), target < 0 ? "–" : PIVOT.piece(target)]),
  );
}

test("example A: the nearest strings", async () => {
  const watched: (readonly [number, number])[] = [];
  const targets = await minedTargets(PIVOT, SOURCE, pool, {
    progress: (done, total) => watched.push([done, total]),
  });
  expect(named(targets, -1)).toEqual({
    "<unk>": "<unk>",
    "<s>": "<s>",
    "</s>": "</s>",
    ĠI: "▁I",
    Ġge: "▁get",
    t: ".",
    Ġup: "▁up",
    Ġear: "▁early",
    ly: "▁I",
    ".": ".",
    Ġunbelievable: "believ",
    Ġget: "▁get",
    Ġgoing: "▁go",
    Ġlate: "▁late",
    Ġearlier: "▁early",
    Ġ: "▁I",
  });
  expect(watched[0]).toEqual([8, 16]); // those with an equal string
  expect(watched.at(-1)).toEqual([16, 16]);
});

test("example A: equal strings", () => {
  expect(Object.keys(named(exactTargets(PIVOT, SOURCE), -1))).toEqual(
    "<unk> <s> </s> ĠI Ġup . Ġget Ġlate".split(" "),
  );
});

test("example A: mapping statistics", () => {
  const first = countSentence(groupsOf([0], [1], [2, 3], [4], [5, 6], [7]), ...SENTENCE);
  const version1 = statisticsTargets({ pivot: PIVOT, source: SOURCE, counts: first, version: 1 });
  const both = { "<s>": "<s>", "</s>": "</s>", ĠI: "▁I", Ġge: "▁get", t: "▁get", Ġup: "▁up" };
  expect(named(version1, 0)).toEqual({ ...both, Ġear: "▁early", ly: "▁early", ".": "." });
  const second = countSentence(groupsOf([0], [1], [2, 3], [4], [5], [6, 7]), ...SENTENCE);
  const version2 = statisticsTargets({ pivot: PIVOT, source: SOURCE, counts: second, version: 2 });
  expect(named(version2, 0)).toEqual({ ...both, Ġear: "▁early", ly: ".", ".": "." });
});

test("example B: the nearest of what stood beside a token is a part of it", () => {
  const counts = countSentence(
    groupsOf([0], [1], [1], [1], [2], [2]),
    "<s> ▁un believ able ▁go ing",
    "<s> Ġunbelievable Ġgoing",
  );
  const targets = statisticsTargets({ pivot: PIVOT, source: SOURCE, counts, version: 1 });
  expect(named(targets, 0)).toEqual({
    "<s>": "<s>",
    "</s>": "</s>",
    Ġunbelievable: "believ",
    Ġgoing: "ing",
  });
});

test("mapping statistics as released prefer the rarer pair, as described the more frequent", () => {
  const pivot = testVocabulary(["<unk>", "<s>", "</s>", "▁abcd", "▁abxy"]);
  const source = testVocabulary(["<unk>", "<s>", "</s>", "Ġabzz"], { marker: "Ġ" });
  const choose = (abcd: number, abxy: number) => {
    const counts = new AlignmentCounts();
    counts.addTriples([3, 3, abcd, 4, 3, abxy]);
    const inputs = { pivot, source, counts, version: 1 } as const;
    return [statisticsTargets(inputs)[3], countsTargets(inputs)[3]].map((id) =>
      pivot.piece(id as number),
    );
  };
  expect(choose(1, 1000)).toEqual(["▁abcd", "▁abxy"]);
  expect(choose(1000, 1)).toEqual(["▁abxy", "▁abcd"]);
});

test("counts: the nearer string where both were seen as often; what was not seen is left out", () => {
  const counts = new AlignmentCounts();
  const [ear, early, up] = ["Ġear", "▁early", "▁up"];
  counts.addTriples([PIVOT.idOf(up)!, SOURCE.idOf(ear)!, 2]);
  counts.addTriples([PIVOT.idOf(early)!, SOURCE.idOf(ear)!, 2]);
  const targets = countsTargets({ pivot: PIVOT, source: SOURCE, counts, version: 2 });
  expect(named(targets, -1)).toEqual({ "<s>": "<s>", "</s>": "</s>", Ġear: early });
});

test("counts do not depend on the order of documents, nor on how they were shared out", () => {
  const documents = fc.array(
    fc.record({
      pivot: fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }),
      source: fc.array(fc.nat(5), { minLength: 2, maxLength: 6 }),
    }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(documents, fc.nat(6), (all, cut) => {
      const count = (some: typeof all) => {
        const counts = new AlignmentCounts();
        for (const { pivot, source } of some) {
          // Every pivot token beside two source tokens, equal ones among them.
          const groups = pivot.map((_, i) => [i % source.length, (i + 1) % source.length]);
          counts.add(pivot, source, groupsOf(...groups));
        }
        return counts;
      };
      const whole = count(all).toTriples();
      expect(count([...all].reverse()).toTriples()).toEqual(whole);
      const joined = count(all.slice(cut));
      joined.addTriples(count(all.slice(0, cut)).toTriples());
      expect(joined.toTriples()).toEqual(whole);
    }),
  );
});

test("a token that stands twice in a group counts once", () => {
  const counts = new AlignmentCounts();
  counts.add([7], [5, 5, 6], groupsOf([0, 1, 2]));
  expect([...counts.toTriples()]).toEqual([7, 5, 1, 7, 6, 1]);
  expect([counts.count(7, 5), counts.count(5, 7)]).toEqual([1, 0]);
});

test("neighbours at 1 to 4 count twice, at 5 once, further ones not", () => {
  const contexts = new ContextCounts();
  contexts.add([0, 1, 2, 3, 4, 5, 6]);
  expect([...contexts.row(0)].sort(([a], [b]) => a - b)).toEqual([
    ...[1, 2, 3, 4].map((id) => [id, 2]),
    [5, 1],
  ]);
});

/** Of the strings as near as the nearest, the one whose neighbours are most like. */
test("co-occurrence chooses among the nearest by their neighbours", async () => {
  const pivot = testVocabulary(["<unk>", "<s>", "</s>", "cat", "cot", "purr", "bed"]);
  const source = testVocabulary(["<unk>", "<s>", "</s>", "cit", "purr", "bed", "cut"]);
  const mined = await minedTargets(pivot, source, pool);
  expect(pivot.piece(mined[3] as number)).toBe("cat"); // the first of the two
  const contexts = { pivot: new ContextCounts(), source: new ContextCounts() };
  contexts.pivot.add([3, 5]); // cat purr
  contexts.pivot.add([4, 6]); // cot bed
  contexts.source.add([3, 5]); // cit bed
  const targets = coOccurrenceTargets(pivot, source, mined, contexts);
  expect(pivot.piece(targets[3] as number)).toBe("cot");
  expect(pivot.piece(targets[6] as number)).toBe("cat"); // never seen: stays with the first
  expect(targets.slice(0, 3)).toEqual(mined.slice(0, 3));
});

const word = fc
  .array(fc.constantFrom("a", "b", "c", "▁", "Ġ"), { minLength: 1, maxLength: 6 })
  .map((letters) => letters.join(""));
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 30 });

test("the mined map is the definition's, letter by letter", async () => {
  await fc.assert(
    fc.asyncProperty(words, words, async (pivotWords, sourceWords) => {
      const pivot = testVocabulary(pivotWords);
      const source = testVocabulary(sourceWords, { marker: "Ġ" });
      const expected = sourceWords.map((piece) => {
        const own = piece.replaceAll("Ġ", "▁");
        if (pivotWords.includes(own)) return pivotWords.indexOf(own);
        const distances = pivotWords.map((other) => editDistance(own, other));
        return distances.indexOf(Math.min(...distances));
      });
      expect([...(await minedTargets(pivot, source, pool))]).toEqual(expected);
    }),
  );
});

test("an aborted map stops", async () => {
  const controller = new AbortController();
  const progress = () => controller.abort(new Error("enough"));
  const mining = minedTargets(PIVOT, SOURCE, pool, { signal: controller.signal, progress });
  await expect(mining).rejects.toThrow("enough");
});

test("maps are kept by what they were made of", async () => {
  const cache = mapsInDatabase(createStore("maps", "facts"));
  const key = await mapKey("mined", PIVOT, SOURCE);
  expect(await mapKey("mined", SOURCE, PIVOT)).not.toBe(key);
  expect(await cache.load(key)).toBeNull();
  await cache.save(key, Int32Array.of(3, -1));
  expect(await cache.load(key)).toEqual(Int32Array.of(3, -1));
});
