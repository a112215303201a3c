import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createPool } from "../engine/core/threadPool.ts";
import { AlignmentCounts } from "../engine/fuse/align/maps/alignmentCounts.ts";
import { exactTargets } from "../engine/fuse/align/maps/exact.ts";
import { minedTargets, nearestTask } from "../engine/fuse/align/maps/mined.ts";
import { NearestString } from "../engine/fuse/align/maps/nearest.ts";
import { statisticsTargets } from "../engine/fuse/align/maps/statistics.ts";
import { testVocabulary } from "../engine/fuse/align/maps/testVocabulary.ts";
import type { Vocabulary } from "../engine/fuse/align/types.ts";
import { remark } from "../engine/fuse/align/vocabulary.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

/** What the references' own code answered: see manifest.json of the test data's goldens/alignment. */
interface MapGolden {
  readonly profile: string;
  readonly pivot: string;
  readonly source: string;
  readonly exact: Readonly<Record<string, number | null>>;
  /** Where it differs from `exact`. */
  readonly mined?: Readonly<Record<string, number>>;
  readonly counts?: readonly (readonly number[])[];
  readonly ms_default?: number;
  readonly ms?: Readonly<Record<string, number>>;
}

interface Roles {
  readonly marker: "▁" | "Ġ";
  readonly bos: string | null;
  readonly eos: string | null;
  readonly unk: string | null;
}

const read = (...parts: readonly string[]) => readFileSync(testDataPath(...parts), "utf8");
const manifest = hasTestData ? JSON.parse(read("goldens", "alignment", "manifest.json")) : {};
const mapsFile = (entry: unknown) => (entry as { readonly maps: string }).maps;
const files: readonly string[] = hasTestData
  ? [...new Set<string>(Object.values(manifest.files["align/*.jsonl"].list).map(mapsFile))]
  : [];

const opened = new Map<string, Vocabulary>();

/** The strings of a tokenizer.json, which is all that maps look at. */
function openPieces(name: string, roles: Roles): Vocabulary {
  const known = opened.get(name);
  if (known) return known;
  const folder = name.endsWith("260K") ? ["zoo", "models", name] : ["zoo", "tokenizers", name];
  const { model, added_tokens } = JSON.parse(read(...folder, "tokenizer.json"));
  const pieces: string[] = [];
  for (const [piece, id] of Object.entries<number>(model.vocab)) pieces[id] = piece;
  for (const { id, content } of added_tokens) pieces[id] = content;
  const whole = Array.from(pieces, (piece) => piece ?? "");
  const idOf = (piece: string | null) => (piece === null ? null : whole.indexOf(piece));
  const [bosId, eosId, unkId] = [idOf(roles.bos), idOf(roles.eos), idOf(roles.unk)];
  const vocabulary = testVocabulary(whole, { marker: roles.marker, bosId, eosId, unkId });
  opened.set(name, vocabulary);
  return vocabulary;
}

const nearest = new Map<Vocabulary, NearestString>();
function nearestId(pivot: Vocabulary, piece: string): number {
  let index = nearest.get(pivot);
  if (!index) {
    index = new NearestString(Array.from({ length: pivot.size }, (_, id) => pivot.piece(id)));
    nearest.set(pivot, index);
  }
  return index.find(piece).index;
}

function countsOf(triples: readonly (readonly number[])[]): AlignmentCounts {
  const counts = new AlignmentCounts();
  counts.addTriples(triples.flat());
  return counts;
}

describe.skipIf(!hasTestData)("maps of real vocabularies", { timeout: 30_000 }, () => {
  test.each(files)("%s", (file) => {
    const golden: MapGolden = JSON.parse(read("goldens", "alignment", file));
    const [pivot, source] = [golden.pivot, golden.source].map((name) =>
      openPieces(name, manifest.tokenizers[name]),
    ) as [Vocabulary, Vocabulary];
    const ids = Object.keys(golden.exact).map(Number);
    expect(ids.length).toBeGreaterThan(400);
    const exact = exactTargets(pivot, source);
    const complaints: string[] = [];
    const same = (
      what: string,
      id: number,
      ours: number | undefined,
      theirs: number | undefined,
    ) => {
      if (ours !== theirs)
        complaints.push(`${what} of ${source.piece(id)}: ${ours}, not ${theirs}`);
    };
    for (const id of ids) same("exact", id, exact[id], golden.exact[id] ?? -1);
    if (golden.mined) {
      for (const id of ids) {
        const theirs = golden.mined[id] ?? golden.exact[id] ?? undefined;
        const ours = exact[id] as number;
        const piece = remark(source.piece(id), source, pivot);
        same("mined", id, ours >= 0 ? ours : nearestId(pivot, piece), theirs);
      }
    }
    if (golden.counts && golden.ms) {
      const version = golden.profile === "fusechat-v1" ? 1 : 2;
      const targets = statisticsTargets({
        pivot,
        source,
        counts: countsOf(golden.counts),
        version,
      });
      for (const id of ids) same("ms", id, targets[id], golden.ms[id] ?? golden.ms_default);
    }
    expect(complaints).toEqual([]);
  });

  test("there are maps of all three references", () => {
    expect(files).toHaveLength(18);
  });
});

const pool = createPool({ nearest: nearestTask });

describe.skipIf(!hasTestData)("maps that FuseLLM's own script made", () => {
  const ROLES: Roles = { marker: "▁", bos: "<s>", eos: "</s>", unk: "<unk>" };

  test.each(["aidreams260K", "babyllama-tok105", "babyllama-tok361"])("from %s", async (name) => {
    const file = `vocab_mapping_${name}_to_stories260K.json`;
    const mapping: Readonly<Record<string, string>> = JSON.parse(read("zoo", "fusellm", file));
    const pivot = openPieces("stories260K", ROLES);
    const { model } = JSON.parse(read("zoo", "models", name, "tokenizer.json"));
    const pieces = Object.keys(model.vocab);
    const targets = await minedTargets(pivot, testVocabulary(pieces), pool);
    const ours = pieces.map((piece, id) => [piece, pivot.piece(targets[id] as number)]);
    expect(Object.fromEntries(ours)).toEqual(mapping);
  });
});
