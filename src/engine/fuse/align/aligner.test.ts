import { expect, test } from "vitest";
import type { AlignmentReason, FusionProfile, FusionSettings } from "../../contract/index.ts";
import { createPool } from "../../core/threadPool.ts";
import { type AlignerOptions, createAligner } from "./aligner.ts";
import { createGrouper } from "./grouper.ts";
import { AlignmentCounts } from "./maps/alignmentCounts.ts";
import { exactTargets, type Targets } from "./maps/exact.ts";
import { minedTargets, nearestTask } from "./maps/mined.ts";
import { statisticsTargets } from "./maps/statistics.ts";
import { testVocabulary } from "./maps/testVocabulary.ts";
import type { Alignment, SourceRows, TokenisedText, VocabularyMap } from "./types.ts";
import { createWarper, type DtwProfileName } from "./warper.ts";

/** SentencePiece's decoder drops a first space, byte-level ones keep it. */
const spaced = testVocabulary(
  "<unk> <s> </s> ▁I ▁get ▁up ▁early . ▁un believ able ▁go ing ▁late ▁very".split(" "),
);
const PIVOT = { ...spaced, decoded: (id: number) => spaced.decoded(id).replace(/^ /, "") };
const SOURCE = testVocabulary(
  "<unk> <s> </s> ĠI Ġge t Ġup Ġear ly . Ġunbelievable Ġget Ġgoing Ġlate Ġearlier Ġ".split(" "),
  { marker: "Ġ" },
);

/** Tokens with where they end; control tokens stand for no text of their own. */
function read(vocabulary: typeof SOURCE, pieces: string): TokenisedText {
  const ids = Uint32Array.from(pieces.split(" "), (piece) => vocabulary.idOf(piece)!);
  let end = 0;
  const ends = Uint32Array.from(ids, (id) => {
    end += id <= 2 ? 0 : vocabulary.bytes(id).byteLength;
    return end;
  });
  return { ids, ends };
}

/** "ĠI 5, Ġge 2" for each position. */
function say(...rows: readonly string[]): SourceRows {
  const entries = rows.map((row) => row.split(", ").map((entry) => entry.split(" ")));
  const ends = entries.map((_, row) => entries.slice(0, row + 1).flat().length);
  return {
    rows: {
      offsets: Uint32Array.of(0, ...ends),
      ids: Uint32Array.from(entries.flat(), ([piece]) => SOURCE.idOf(piece!)!),
      values: Float32Array.from(entries.flat(), ([, logit]) => Number(logit)),
    },
    rowOf: Int32Array.from(rows, (_, row) => row),
  };
}

/** Rows as they are written in the examples. */
function written({ rows }: Alignment): readonly string[] {
  return Array.from({ length: rows.offsets.length - 1 }, (_, row) => {
    const [from, to] = [rows.offsets[row]!, rows.offsets[row + 1]!];
    const entry = (at: number) => `${PIVOT.piece(rows.ids[at]!)} ${rows.values[at]}`;
    return Array.from({ length: to - from }, (_, i) => entry(from + i)).join(", ");
  });
}

const A = {
  pivot: read(PIVOT, "<s> ▁I ▁get ▁up ▁early ."),
  source: read(SOURCE, "<s> ĠI Ġge t Ġup Ġear ly ."),
  said: say(
    "ĠI 5, Ġge 2",
    "Ġge 4, Ġget 3",
    "t 6, ly 1",
    "Ġup 5, Ġlate 1",
    "Ġear 3, Ġearlier 2",
    "ly 7, . 1",
    ". 6, ĠI 0.5",
    "</s> 5, ĠI 1",
  ),
};
const B = {
  pivot: read(PIVOT, "<s> ▁un believ able ▁go ing"),
  source: read(SOURCE, "<s> Ġunbelievable Ġgoing"),
  said: say("Ġunbelievable 4, Ġgoing 1", "Ġgoing 3, Ġget 1", "Ġup 2, Ġlate 1"),
};
type Example = typeof A;

function mapOf(exact: Targets, others: Targets | null, counts?: AlignmentCounts): VocabularyMap {
  const known = (targets: Targets | null, id: number) => {
    const target = targets?.[id] ?? -1;
    return target < 0 ? null : target;
  };
  return {
    target: (id) => known(exact, id) ?? known(others, id),
    count: (pivotId, sourceId) => counts?.count(pivotId, sourceId) ?? 0,
  };
}

type Chosen = Partial<FusionSettings>;

/** Aligns with the map that the settings name, counted from the example alone. */
async function align(example: Example, profile: FusionProfile, chosen: Chosen = {}) {
  const { pivot, source, said } = example;
  const settings: AlignerOptions["settings"] = {
    profile,
    vocabulary: "exact",
    matrix: false,
    fallback: "pivot",
    ...chosen,
  };
  const counts = new AlignmentCounts();
  const { groups } = createGrouper(profile, PIVOT, SOURCE)(pivot, source);
  counts.add(pivot.ids, source.ids, groups);
  const version = profile === "fusechat-v1" ? 1 : 2;
  const others =
    settings.vocabulary === "mined"
      ? await minedTargets(PIVOT, SOURCE, createPool({ nearest: nearestTask }))
      : settings.vocabulary === "statistics"
        ? statisticsTargets({ pivot: PIVOT, source: SOURCE, counts, version })
        : null;
  const map = mapOf(exactTargets(PIVOT, SOURCE), others, counts);
  return createAligner({ settings, pivot: PIVOT, source: SOURCE, map }).align(pivot, source, said);
}

function groupsOf({ groups: { offsets, positions } }: Pick<Alignment, "groups">) {
  return Array.from({ length: offsets.length - 1 }, (_, at) => [
    ...positions.subarray(offsets[at]!, offsets[at + 1]!),
  ]);
}

const soft: Chosen = { vocabulary: "mined", fallback: "current" };
const hard: Chosen = { vocabulary: "exact", fallback: "current" };
const counted: Chosen = { vocabulary: "statistics", fallback: "current" };
const labelled: Chosen = { vocabulary: "statistics", fallback: "gold" };

const FIRST = "▁I 5, ▁get 2";
const EARLY = "▁early 3, <unk> 2";
const LAST = "</s> 5, ▁I 1";

test.each<[string, FusionProfile, Chosen, readonly string[]]>([
  [
    ...(["FuseLLM soft", "fusellm", soft] as const),
    [FIRST, "▁get 4", "▁get 1", "▁early 3", "▁I 7, . 1", ". 1"],
  ],
  [
    ...(["FuseLLM hard", "fusellm", hard] as const),
    ["▁I 5", "▁get 3", "▁get 1", "", "▁early 1", ". 1"],
  ],
  [
    ...(["FuseChat v1, matrix off", "fusechat-v1", counted] as const),
    [FIRST, "▁get 4", "▁get 1", EARLY, "▁early 1", LAST],
  ],
  [
    ...(["FuseChat v1, matrix on", "fusechat-v1", { ...counted, matrix: true }] as const),
    // Both of a group's pairs were seen once: each weighs a half.
    [
      FIRST,
      "▁get 4",
      "▁get 3, ▁up 2.5, ▁early 0.5, ▁late 0.5",
      EARLY,
      "▁early 3.5, . 3, ▁I 0.25",
      LAST,
    ],
  ],
  [
    ...(["FuseChat v2, matrix off", "fusechat-v2", labelled] as const),
    [FIRST, "▁get 4", "▁up 1", EARLY, ". 1", ". 1"],
  ],
  [
    ...(["FuseChat v2, matrix on", "fusechat-v2", { ...labelled, matrix: true }] as const),
    [FIRST, "▁get 4", "▁up 5, ▁late 1", EARLY, ". 1", LAST],
  ],
])("example A: %s", async (_, profile, chosen, rows) => {
  expect(written(await align(A, profile, chosen))).toEqual(rows);
});

test("example A: groups and totals", () => {
  const texts = { pivot: A.pivot.ids, source: A.source.ids };
  const warped = (profile: DtwProfileName) => createWarper(profile, PIVOT, SOURCE)(texts);
  const wrong = [[0], [1], [2, 3], [4], [5], [6, 7]]; // plain distances put "ly" to "."
  expect(groupsOf(warped("fusellm"))).toEqual(wrong);
  expect(groupsOf(warped("fusechat-v2"))).toEqual(wrong);
  expect(groupsOf(warped("fusechat-v1"))).toEqual([[0], [1], [2, 3], [4], [5, 6], [7]]);
  expect(warped("fusellm").cost).toBe(7);
  expect(Math.abs(warped("fusechat-v1").cost - 0.8)).toBeLessThanOrEqual(1e-15);
});

test("example A: by bytes every position has evidence of its own", async () => {
  const { reasons, from } = await align(A, "studio");
  expect([...from]).toEqual([0, 1, 3, 4, 6, 7]);
  // What follows "Ġup" is "Ġear" or "Ġearlier": the pivot has neither.
  expect(reasons).toEqual(["same end", "same end", "same end", "empty", "same end", "same end"]);
});

test("example A: the reasons of each profile", async () => {
  const reasons = async (profile: FusionProfile, chosen: Chosen) =>
    (await align(A, profile, chosen)).reasons;
  const none = "no match";
  const soften: AlignmentReason[] = ["equal", "equal", none, "equal", "mapped", none];
  expect(await reasons("fusellm", soft)).toEqual(soften);
  expect(await reasons("fusechat-v1", { ...counted, matrix: true })).toEqual([
    "equal",
    "equal",
    "joined",
    "equal",
    "joined",
    "equal",
  ]);
  expect(await reasons("fusechat-v2", { ...labelled, matrix: true })).toEqual([
    "equal",
    "suffix",
    "suffix",
    "suffix",
    none,
    "equal",
  ]);
});

const NEXT = "ing 3, ▁get 1";
const UP = "▁up 2, ▁late 1";

test.each<[string, FusionProfile, Chosen, readonly string[]]>([
  ["FuseLLM soft", "fusellm", soft, ["▁un 1", "▁go 3, ▁get 1", "able 1", UP, "ing 1"]],
  ["FuseChat v1", "fusechat-v1", counted, [NEXT, NEXT, NEXT, UP, UP]],
  ["FuseChat v2", "fusechat-v2", labelled, ["believ 1", "able 1", "▁go 1", "ing 1", UP]],
  ["studio", "studio", {}, ["", "", "▁get 1", "", UP]],
])("example B: %s", async (_, profile, chosen, rows) => {
  expect(written(await align(B, profile, chosen)).slice(1)).toEqual(rows);
});

test("example B: groups", () => {
  const texts = { pivot: B.pivot.ids, source: B.source.ids };
  const groups = (profile: DtwProfileName) => groupsOf(createWarper(profile, PIVOT, SOURCE)(texts));
  expect(groups("fusechat-v1")).toEqual([[0], [1], [1], [1], [2], [2]]);
  expect(groups("fusechat-v2")).toEqual([[0], [0], [1], [2], [2], [2]]);
});

test("example B: by bytes a word stands where its last piece ends", async () => {
  const { from, reasons, groups } = await align(B, "studio");
  expect([...from]).toEqual([0, -1, -1, 1, -1, 2]);
  expect(reasons[1]).toBe("no match");
  expect(groupsOf({ groups })).toEqual([[0], [1], [1], [1], [2], [2]]);
});

test.each([
  ["pivot", ""],
  ["gold", "▁I 1"],
  ["current", "<s> 1"],
] as const)("a row that was not kept gives the fall-back: %s", async (fallback, row) => {
  const said = { ...A.said, rowOf: A.said.rowOf.map((at) => (at === 0 ? -1 : at)) };
  const aligned = await align({ ...A, said }, "studio", { fallback });
  expect([aligned.reasons[0], aligned.from[0], written(aligned)[0]]).toEqual(["not kept", -1, row]);
  expect(aligned.reasons[1]).toBe("same end");
});

test("one part that was not kept is enough to leave a mixture out", async () => {
  const said = { ...A.said, rowOf: A.said.rowOf.map((at) => (at === 2 ? -1 : at)) };
  const aligned = await align({ ...A, said }, "fusechat-v1", { ...counted, matrix: true });
  expect([aligned.reasons[2], aligned.reasons[4]]).toEqual(["not kept", "joined"]);
});

test("a row of which nothing is left is named, and has no entry", async () => {
  const { reasons, from, rows } = await align(A, "fusellm", hard);
  expect([reasons[3], from[3], rows.offsets[4]! - rows.offsets[3]!]).toEqual(["empty", 4, 0]);
});

test("FuseChat v2's hard mode asks for equal strings and leaves the rest out", async () => {
  const aligned = await align(A, "fusechat-v2", { vocabulary: "exact", fallback: "gold" });
  // " get" is no "get": only control tokens and the full stop would be equal, and that has a group.
  expect(written(aligned)).toEqual(["▁I 5", "▁get 1", "▁up 1", "▁early 1", ". 1", ". 1"]);
});

test.each([
  ["GPT2Tokenizer", "equal"],
  ["GPTNeoXTokenizer", "equal"],
  ["Qwen2Tokenizer", "no match"],
  [null, "no match"],
])("FuseLLM gives the first token of %s the space it lacks: %s", (className, reason) => {
  const source = testVocabulary(["<unk>", "<s>", "</s>", "up", "Ġlate"], {
    marker: "Ġ",
    className,
  });
  const map = mapOf(exactTargets(PIVOT, source), null);
  const settings = {
    profile: "fusellm" as const,
    vocabulary: "exact" as const,
    matrix: false,
    fallback: "pivot" as const,
  };
  const aligner = createAligner({ settings, pivot: PIVOT, source, map });
  const at = (pivot: string, other: string) =>
    aligner.align(read(PIVOT, pivot), read(source, other), say("<s> 1", "<s> 1"));
  expect(at("▁up ▁late", "up Ġlate").reasons).toEqual([reason, "equal"]);
  expect(at("▁late ▁up", "Ġlate up").reasons).toEqual(["equal", "no match"]);
});

test.each(["studio", "fusellm", "fusechat-v1", "fusechat-v2"] as const)(
  "texts that one vocabulary reads alike stand side by side: %s",
  (profile) => {
    const settings = { profile, vocabulary: "exact", matrix: true, fallback: "gold" } as const;
    const map = mapOf(exactTargets(SOURCE, SOURCE), null);
    const copy = { ...SOURCE, eosId: 1 }; // another role, the same strings
    const aligner = createAligner({ settings, pivot: SOURCE, source: copy, map });
    const ending = (id: number) => ({ ...A.source, ids: A.source.ids.with(7, id) });
    const aligned = aligner.align(ending(1), ending(2), A.said);
    expect(groupsOf(aligned)).toEqual([[0], [1], [2], [3], [4], [5], [6], [7]]);
    expect([...aligned.from]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(aligned.rows).toEqual(A.said.rows);
  },
);

test("a source that ends a turn as it ends a text means the pivot's own end of a turn", async () => {
  const endedBy = async (end: string) => {
    const said = say("ĠI 5, Ġge 2", "</s> 5, ĠI 1", "Ġup 2, Ġlate 1");
    const example = {
      pivot: read(PIVOT, `<s> ▁I ${end}`),
      source: read(SOURCE, "<s> ĠI </s>"),
      said,
    };
    return written(await align(example, "studio"))[1];
  };
  // Of the tokens without bytes this one is neither the first nor the last of a text.
  expect(await endedBy("<unk>")).toBe("<unk> 5, ▁I 1");
  expect(await endedBy("</s>")).toBe("</s> 5, ▁I 1");
});
